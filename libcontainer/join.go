package libcontainer

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/internal/sys"
)

// stepJoin enters the namespaces of the container's process: the same ones
// that the configuration lists, whether they were made or joined.
//
// An ordinary user's parent cannot write to the files of a stage that is not
// dumpable: it has its oom_score_adj from itself, before.
func stepJoin(b *build) error {
	if adj := b.process.OOMScoreAdj; adj != nil && b.opt.Rootless {
		text := strconv.Itoa(*adj)
		b.At("process.oomScoreAdj", text)
		b.WriteFile(b.proc, "self/oom_score_adj", []byte(text)).On(plan.Next, unix.EACCES)
	}
	b.c.join(b.Plan, b.proc, &b.ns, b.labelNeedsHost())
	return nil
}

// labelNeedsHost says whether a label can only be asked for through the host's
// procfs: a user namespace may mount none of its own where parts of the one it
// sees are masked. Nobody in it may look at the stage, see ptrace(2) PTRACE_MODE.
func (b *build) labelNeedsHost() bool { return b.labelled() && b.ns.has(unix.CLONE_NEWUSER) }

// join enters those of the listed namespaces that the container's process is in,
// and goes on as a child inside its pid namespace.
//
// The stage stops being dumpable before: from the moment it shares a
// namespace, a process of the container could otherwise trace it and take
// what it holds of the host (CVE-2016-9962). One with CAP_SYS_PTRACE in our own
// user namespace may even so, once the fork makes us visible to it: the host's
// procfs is closed before, unless it is to be kept.
func (c *Container) join(p *plan.Plan, proc plan.Reg, n *namespaces, keep bool) {
	p.At("", "")
	p.Prctl("dumpable", unix.PR_SET_DUMPABLE, plan.N(0))
	pidfd := p.Inherit(c.openInit)
	others := n.all &^ unix.CLONE_NEWUSER
	join := func(flags uintptr) {
		if flags != 0 {
			c.joinKinds(p, proc, pidfd, flags)
		}
	}
	if c.rec.Rootless { // the user namespace gives the right to join
		join(n.all & unix.CLONE_NEWUSER)
		join(others)
	} else { // others may belong to the host's user namespace
		join(others)
		join(n.all & unix.CLONE_NEWUSER)
	}
	p.Close(pidfd)
	if n.has(unix.CLONE_NEWUSER) {
		becomeRoot(p)
	}
	if !keep {
		p.Syscall("close the host's procfs", unix.SYS_CLOSE, proc).To(proc)
	}
	if n.has(unix.CLONE_NEWPID) || n.has(unix.CLONE_NEWTIME) {
		p.At("", "")
		p.Fork(0, plan.None)
	}
	dieWithParent(p)
}

// openInit opens the container's process. While create makes it, it waits for
// us and has no start time on record yet.
func (c *Container) openInit() (*os.File, error) {
	if c.rec.Init.StartTime == 0 {
		return sys.PidfdOpen(c.rec.Init.Pid)
	}
	return c.rec.Init.open(c.rec.BootID)
}

// joinKinds joins several of its namespaces at once, by its pidfd (Linux 5.8),
// or one after the other.
func (c *Container) joinKinds(p *plan.Plan, proc, pidfd plan.Reg, flags uintptr) {
	each, end := p.NewLabel(), p.NewLabel()
	p.Setns(pidfd, uint64(flags), "the container's namespaces").On(each, unix.EINVAL).Then(end)
	p.Mark(each)
	joinEach(p, proc, c.rec.Init.Pid, flags)
	p.Ask("verify that they were the container's", nil, func(*plan.Call) error {
		pidfd, err := c.openInit() // a process that lives now has had its pid all the time
		if err == nil {
			pidfd.Close()
		}
		return err
	})
	p.Mark(end)
}

// joinEach joins namespaces through their files: on Linux < 5.8 setns does not take a pidfd.
func joinEach(p *plan.Plan, proc plan.Reg, pid int, flags uintptr) {
	files := []struct {
		name string
		flag uintptr
	}{
		{"user", unix.CLONE_NEWUSER},
		{"net", unix.CLONE_NEWNET},
		{"ipc", unix.CLONE_NEWIPC},
		{"uts", unix.CLONE_NEWUTS},
		{"cgroup", unix.CLONE_NEWCGROUP},
		{"time", unix.CLONE_NEWTIME},
		{"pid", unix.CLONE_NEWPID},
		{"mnt", unix.CLONE_NEWNS}, // last: it changes what paths mean
	}
	for _, f := range files {
		if flags&f.flag == 0 {
			continue
		}
		file := strconv.Itoa(pid) + "/ns/" + f.name
		// a magic link, to be followed
		r := p.Syscall("open "+file, unix.SYS_OPENAT, proc, plan.Str(file), plan.N(unix.O_RDONLY|unix.O_CLOEXEC), plan.N(0)).Into()
		p.Setns(r, uint64(f.flag), "the container's "+f.name+" namespace")
		p.Close(r)
	}
}
