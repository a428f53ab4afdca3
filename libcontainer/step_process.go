package libcontainer

import (
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

func stepNoUmask(b *build) error {
	b.Syscall("umask", unix.SYS_UMASK, plan.N(0))
	return nil
}

// stepSession leaves the caller's session: no terminal of the host can be
// written to with TIOCSTI (CVE-2016-10124 of LXC).
func stepSession(b *build) error {
	b.Syscall("setsid", unix.SYS_SETSID).On(plan.Next, unix.EPERM) // a leader already: pid 1 of a new pid namespace
	return nil
}

// stepKeyring gives the container a session keyring of its own. keyctl(2)
func stepKeyring(b *build) error {
	if b.opt.NoNewKeyring {
		return nil
	}
	const join, setperm, session = 1, 5, -3 // KEYCTL_JOIN_SESSION_KEYRING, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING
	const perm = 0x3f3f0000                 // everything for possessor and owner
	end := b.NewLabel()
	b.Syscall("join a session keyring", unix.SYS_KEYCTL, plan.N(join), plan.Str("_ses."+b.c.ID)).
		On(end, unix.ENOSYS, unix.EPERM, unix.EACCES, unix.EDQUOT)
	b.Syscall("protect the session keyring", unix.SYS_KEYCTL, plan.N(setperm), plan.N(session), plan.N(perm)).
		On(plan.Next, unix.EPERM, unix.EACCES)
	b.Mark(end)
	return nil
}

// stepLoopback sets up the interface lo of a new network namespace. netdevice(7)
func stepLoopback(b *build) error {
	if !b.ns.new(unix.CLONE_NEWNET) {
		return nil
	}
	var req struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], "lo")
	req.flags = unix.IFF_UP | unix.IFF_RUNNING
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&req)), unsafe.Sizeof(req))
	b.At("linux.namespaces", "network")
	fd := b.Syscall("socket", unix.SYS_SOCKET, plan.N(unix.AF_INET), plan.N(unix.SOCK_DGRAM|unix.SOCK_CLOEXEC), plan.N(0)).Into()
	b.Syscall("set the interface lo up", unix.SYS_IOCTL, fd, plan.N(unix.SIOCSIFFLAGS), plan.Bytes(raw))
	b.Close(fd)
	return nil
}

func stepHostname(b *build) error {
	set := func(field, name string, nr uintptr) {
		if name != "" {
			b.At(field, name)
			b.Syscall("set the "+field, nr, plan.Str(name), plan.N(len(name)))
		}
	}
	set("hostname", b.spec.Hostname, unix.SYS_SETHOSTNAME)
	set("domainname", b.spec.Domainname, unix.SYS_SETDOMAINNAME)
	return nil
}

// stepGroups sets the supplementary groups, even when there are none: the
// caller's must not stay (CVE-2022-36109).
func stepGroups(b *build) error {
	groups := b.process.User.AdditionalGids
	b.At("process.user.additionalGids", "")
	op := b.Syscall("set the supplementary groups", unix.SYS_SETGROUPS, plan.N(len(groups)), plan.Bytes(plan.Uint32s(groups)))
	if len(groups) == 0 && b.deniesSetgroups() {
		op.On(plan.Next, unix.EPERM) // the namespace has one group; nothing to drop can be dropped
	}
	op.Because(unix.EPERM, "the user namespace denies setgroups (user_namespaces(7)): leave the list empty")
	return nil
}

// deniesSetgroups says whether setgroups(2) may be denied in the container's user namespace.
func (b *build) deniesSetgroups() bool { return b.opt.Rootless || b.ns.has(unix.CLONE_NEWUSER) }

// stepLookup finds args[0] in the container's PATH, as the user.
func stepLookup(b *build) error {
	p := b.process
	if len(p.Args) == 0 { // errNoProcess
		return nil
	}
	b.At("", "")
	// the home directory, for an environment without HOME
	if !hasHome(p.Env) {
		b.passwd = b.OpenInRoot(plan.Cwd, "/etc/passwd", unix.O_PATH).On(plan.Next, plan.AnyErrno).Into()
	}
	path := ""
	for _, e := range p.Env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			path = v
		}
	}
	name := p.Args[0]
	quoted := "exec: \"" + name + "\": "
	b.At("process.args[0]", "")
	if strings.Contains(name, "/") && !strings.HasPrefix(name, "/") {
		b.At("process.cwd", p.Cwd)
		b.Syscall("change directory", unix.SYS_CHDIR, plan.Str(p.Cwd)).On(plan.Next, unix.EACCES, unix.ENOENT)
		b.At("process.args[0]", "")
	}
	missing := quoted + "executable file not found in $PATH"
	if strings.Contains(name, "/") {
		missing = quoted + "stat " + name
	}
	// of a directory execve(2) itself says EACCES, and Podman looks for its text
	b.LookPath(name, path, p.User.UID, p.User.GID).
		Because(unix.ENOENT, missing).Because(unix.ENOTDIR, quoted+"stat "+name).
		Because(unix.EACCES, strings.TrimSuffix(quoted, ": ")).Because(unix.EISDIR, quoted+"permission denied")
	return nil
}

func hasHome(env []string) bool {
	for _, e := range env {
		if strings.HasPrefix(e, "HOME=") && e != "HOME=" {
			return true
		}
	}
	return false
}

func stepRlimits(b *build) error {
	for i, l := range b.process.Rlimits {
		nr, _ := specconv.Rlimit(l.Type)
		lim := unix.Rlimit{Cur: l.Soft, Max: l.Hard}
		raw := unsafe.Slice((*byte)(unsafe.Pointer(&lim)), unsafe.Sizeof(lim))
		b.At(field("process.rlimits", i), l.Type)
		b.Syscall("set the limit", unix.SYS_PRLIMIT64, plan.N(0), plan.N(nr), plan.Bytes(raw), plan.N(0)).
			Because(unix.EPERM, "raising a hard limit needs CAP_SYS_RESOURCE on the host")
	}
	return nil
}

// stepMakeCwd makes the working directory if it is missing, as other runtimes do. Where that
// cannot be, in a read-only place, stepCwd says what is wrong.
func stepMakeCwd(b *build) error {
	b.At("process.cwd", b.process.Cwd)
	dir := b.MkdirInRoot(b.view.Root, b.process.Cwd, 0o755).On(plan.Next, plan.AnyErrno).Into()
	b.Close(dir)
	return nil
}

// stepEarlyCwd changes to the working directory, as root.
func stepEarlyCwd(b *build) error {
	end := b.NewLabel()
	b.cwd = b.changeDirectory().On(end, unix.EACCES, unix.EPERM).Into()
	b.verifyCwd()
	b.Mark(end)
	return nil
}

// stepCwd changes there as the user where root was refused, as on a network
// file system that trusts no root, or without the capability to search everywhere.
func stepCwd(b *build) error {
	end := b.NewLabel()
	b.At("process.cwd", b.process.Cwd)
	b.Test(b.cwd).On(plan.Next, unix.EACCES, unix.EPERM).Then(end)
	b.changeDirectory()
	b.verifyCwd()
	b.Mark(end)
	return nil
}

func (b *build) changeDirectory() *plan.Op {
	b.At("process.cwd", b.process.Cwd)
	return b.Syscall("change directory", unix.SYS_CHDIR, plan.Str(b.process.Cwd)).
		Because(unix.ENOENT, "no such directory in the container").
		Because(unix.ENOTDIR, "this is not a directory in the container")
}

func (b *build) verifyCwd() {
	b.Plan.Cwd().Because(unix.ENOENT, "the directory is outside the container's root")
}

func stepNoNewPrivs(b *build) error {
	if b.process.NoNewPrivileges {
		b.At("process.noNewPrivileges", "")
		b.Prctl("no_new_privs", unix.PR_SET_NO_NEW_PRIVS, plan.N(1))
	}
	return nil
}

// stepUmask sets process.user.umask; 0022 is what a process is used to.
func stepUmask(b *build) error {
	umask := uint32(0o022)
	if b.process.User.Umask != nil {
		umask = *b.process.User.Umask
	}
	b.At("process.user.umask", "")
	b.Syscall("umask", unix.SYS_UMASK, plan.N(umask))
	return nil
}

func stepExec(b *build) error {
	if len(b.process.Args) == 0 { // errNoProcess: start goes no further than to say so
		return nil
	}
	b.At("process.args[0]", "")
	name := b.process.Args[0]
	quoted := "exec: \"" + name + "\""
	b.Exec(b.process.Args, environment(b.process.Env)).
		Because(unix.ENOENT, quoted+": its interpreter or dynamic loader is missing").
		Because(unix.ENOEXEC, quoted).Because(unix.EACCES, quoted).Because(unix.E2BIG, quoted)
	return nil
}

// environment keeps the last of several values of a variable.
func environment(env []string) []string {
	out := make([]string, 0, len(env))
	last := make(map[string]int, len(env))
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if name == "HOME" && e == "HOME=" {
			continue // as if unset: stepLookup finds a better one
		}
		if i, ok := last[name]; ok {
			out[i] = e
			continue
		}
		last[name] = len(out)
		out = append(out, e)
	}
	return out
}
