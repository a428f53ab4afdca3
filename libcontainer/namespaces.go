package libcontainer

import (
	"fmt"
	"os"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/internal/sys"
	"hull/specconv"
)

// namespaces is how the container's namespaces come to be. See namespaces(7).
//
// New ones are made by the clone3 that starts the stage where that is enough.
// It is not when there is a user namespace: the stage's execve(2) would lose all
// capabilities in one that has no maps yet, and the others have to belong to it.
// Then the stage makes them itself, and forks for a pid or time namespace.
type namespaces struct {
	all     uintptr // every kind the configuration lists
	fresh   uintptr // made new
	clone   uintptr // of fresh: by clone3
	unshare uintptr // of fresh: by the stage, before it forks
	forked  uintptr // of fresh: by the stage's fork
	fork    bool
	joins   []join
}

type join struct {
	flag  uintptr
	field string
	what  string
	path  string
}

func (n *namespaces) has(flag uintptr) bool { return n.all&flag != 0 }
func (n *namespaces) new(flag uintptr) bool { return n.fresh&flag != 0 }
func (n *namespaces) userJoined() bool {
	return n.has(unix.CLONE_NEWUSER) && !n.new(unix.CLONE_NEWUSER)
}

// lowerNamespaces decides how linux.namespaces is made.
func lowerNamespaces(s *specs.Spec) namespaces {
	var n namespaces
	if s.Linux == nil {
		return n
	}
	for i, ns := range s.Linux.Namespaces {
		flag, _ := specconv.NamespaceFlag(ns.Type)
		n.all |= flag
		if ns.Path == "" {
			n.fresh |= flag
			continue
		}
		n.joins = append(n.joins, join{flag, fmt.Sprintf("linux.namespaces[%d].path", i), string(ns.Type) + " namespace", ns.Path})
	}
	const late = unix.CLONE_NEWTIME | unix.CLONE_NEWCGROUP // never by clone3: offsets come first, the cgroup is joined first
	if n.has(unix.CLONE_NEWUSER) {
		n.unshare = n.fresh &^ unix.CLONE_NEWPID
		n.forked = n.fresh & unix.CLONE_NEWPID
	} else {
		n.clone = n.fresh &^ late
		n.unshare = n.fresh & late
	}
	if n.new(unix.CLONE_NEWTIME) {
		// A process enters its new time namespace by forking, and pid 1
		// cannot give its parent another child.
		n.forked |= n.clone & unix.CLONE_NEWPID
		n.clone &^= unix.CLONE_NEWPID
	}
	joinsPid := n.has(unix.CLONE_NEWPID) && !n.new(unix.CLONE_NEWPID)
	n.fork = n.forked != 0 || joinsPid || n.new(unix.CLONE_NEWTIME)
	return n
}

// stepNamespaces enters the namespaces of a new container.
//
// With privileges, namespaces that are joined come before the user namespace, for
// theirs may be another; without, the user namespace is what gives the right to join.
func stepNamespaces(b *build) error {
	n := &b.ns
	privileged := !b.opt.Rootless
	if privileged {
		b.Prctl("dumpable", unix.PR_SET_DUMPABLE, plan.N(0)) // before anything hostile could see us
	}
	fds := make(map[uintptr]plan.Reg, len(n.joins))
	for _, j := range n.joins {
		b.At(j.field, j.path)
		fds[j.flag] = b.Inherit(func() (*os.File, error) { return openNamespace(j) })
	}
	joinOthers := func() {
		for _, j := range n.joins {
			if j.flag != unix.CLONE_NEWUSER {
				b.At(j.field, j.path)
				b.Setns(fds[j.flag], uint64(j.flag), j.what)
				b.Close(fds[j.flag])
			}
		}
	}
	if privileged {
		joinOthers()
	}
	b.enterUser(fds)
	if !privileged {
		joinOthers()
	}
	if rest := n.unshare &^ unix.CLONE_NEWUSER; rest != 0 {
		b.At("linux.namespaces", "")
		b.Unshare(uint64(rest), "the namespaces")
	}
	b.timeOffsets()
	if !privileged { // an ordinary parent could not have written to our files in /proc
		b.At("linux.namespaces", "")
		b.Prctl("dumpable", unix.PR_SET_DUMPABLE, plan.N(0))
	}
	b.fork()
	return nil
}

// enterUser makes or joins the user namespace and becomes its root.
func (b *build) enterUser(fds map[uintptr]plan.Reg) {
	n := &b.ns
	if !n.has(unix.CLONE_NEWUSER) {
		return
	}
	b.At("linux.namespaces", "user")
	if n.userJoined() {
		b.Setns(fds[unix.CLONE_NEWUSER], unix.CLONE_NEWUSER, "user namespace")
		b.Close(fds[unix.CLONE_NEWUSER])
	} else {
		if n.unshare&unix.CLONE_NEWUSER != 0 {
			b.Unshare(unix.CLONE_NEWUSER, "a user namespace")
		}
		b.Ask("write the id maps", nil, func(c *plan.Call) error {
			return writeMaps(c.Pid, b.spec.Linux)
		})
	}
	becomeRoot(b.Plan)
}

// becomeRoot takes the ids of the user namespace's root. Where it maps none
// (EINVAL) the capabilities in the namespace are all there is.
func becomeRoot(p *plan.Plan) {
	p.Syscall("setresgid", unix.SYS_SETRESGID, plan.N(0), plan.N(0), plan.N(0)).On(plan.Next, unix.EINVAL)
	p.Syscall("setresuid", unix.SYS_SETRESUID, plan.N(0), plan.N(0), plan.N(0)).On(plan.Next, unix.EINVAL)
}

// letOwnerJoin makes the stage dumpable, or no longer so, where an ordinary user
// could not join its namespaces otherwise: not for hooks, not for an exec before
// start. ptrace(2), PTRACE_MODE_READ: what is not dumpable belongs to the user
// namespace that it was executed in, the host's, and not to its own. This is for
// a stage that is alone: in new namespaces, where nobody could trace it but those
// that the owner sends there.
func (b *build) letOwnerJoin(yes bool) {
	if !b.opt.Rootless || !b.ns.new(unix.CLONE_NEWUSER) || !b.ns.new(unix.CLONE_NEWPID) {
		return
	}
	value := uint64(0)
	if yes {
		value = 1
	}
	b.At("", "")
	b.Prctl("dumpable", unix.PR_SET_DUMPABLE, plan.N(value))
}

// timeOffsets lets the parent write linux.timeOffsets while the new time
// namespace is still empty. The stage, not dumpable, cannot open the file itself. time_namespaces(7).
func (b *build) timeOffsets() {
	if !b.ns.new(unix.CLONE_NEWTIME) || len(b.spec.Linux.TimeOffsets) == 0 {
		return
	}
	b.At("linux.timeOffsets", "")
	text := []byte(specconv.TimeOffsets(b.spec.Linux.TimeOffsets))
	b.Ask("write the offsets", nil, func(c *plan.Call) error {
		if err := sys.WriteProc(strconv.Itoa(c.Pid)+"/timens_offsets", text); err != nil {
			return fmt.Errorf("linux.timeOffsets: write timens_offsets: %w", sys.Bare(err))
		}
		return nil
	})
}

// fork goes on as the process that the container's pid and time namespaces need.
func (b *build) fork() {
	if b.ns.fork {
		b.At("linux.namespaces", "pid")
		b.Fork(uint64(b.ns.forked), plan.None)
	}
	dieWithParent(b.Plan)
}

// dieWithParent kills the stage when the parent ends. It has to be said anew
// after a fork and after a change of ids, see prctl(2) PR_SET_PDEATHSIG.
func dieWithParent(p *plan.Plan) {
	p.Prctl("pdeathsig", unix.PR_SET_PDEATHSIG, plan.N(int(unix.SIGKILL)))
}

// openNamespace opens a namespace file and verifies that it is one of the kind asked for.
func openNamespace(j join) (*os.File, error) {
	f, err := os.Open(j.path)
	if err != nil {
		return nil, fmt.Errorf("%s (%s): %w", j.field, j.path, sys.Bare(err))
	}
	kind, err := unix.IoctlRetInt(int(f.Fd()), unix.NS_GET_NSTYPE)
	if err != nil || uintptr(kind) != j.flag {
		f.Close()
		return nil, fmt.Errorf("%s (%s): this is not a %s", j.field, j.path, j.what)
	}
	return f, nil
}
