package tests

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// rule is one of a profile's.
func rule(action specs.LinuxSeccompAction, names ...string) specs.LinuxSyscall {
	return specs.LinuxSyscall{Names: names, Action: action}
}

// seccomp allows everything that no rule speaks of.
func seccomp(rules ...specs.LinuxSyscall) edit {
	return func(s *specs.Spec) {
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: rules}
	}
}

// profile edits the seccomp profile.
func profile(change func(*specs.LinuxSeccomp)) edit {
	return func(s *specs.Spec) { change(s.Linux.Seccomp) }
}

var makesDirectories = []string{"mkdir", "mkdirat"}

func TestSeccompActionsHaveTheirEffect(t *testing.T) {
	for action, c := range map[specs.LinuxSeccompAction]struct {
		out  string
		code int
	}{
		specs.ActErrno:       {"before\nmkdir /x: EPERM\nafter\n", 0},
		specs.ActKill:        {"before\n", signalled(unix.SIGSYS)},
		specs.ActKillThread:  {"before\n", signalled(unix.SIGSYS)},
		specs.ActKillProcess: {"before\n", signalled(unix.SIGSYS)},
		specs.ActTrap:        {"before\n", signalled(unix.SIGSYS)},
		specs.ActTrace:       {"before\nmkdir /x: ENOSYS\nafter\n", 0}, // without a tracer
		specs.ActLog:         {"before\nmkdir /x: ok\nafter\n", 0},
		specs.ActAllow:       {"before\nmkdir /x: ok\nafter\n", 0},
	} {
		t.Run(string(action), func(t *testing.T) {
			b := newBox(t, seccomp(rule(action, makesDirectories...)), runProbe("say", "before", ",", "mkdir", "/x", ",", "say", "after"))
			if action == specs.ActAllow {
				b.edit(profile(func(p *specs.LinuxSeccomp) { p.DefaultAction = specs.ActLog }))
			}
			if r := b.run(); r.code != c.code || r.stdout != c.out {
				t.Errorf("want exit code %d and %q: %s", c.code, c.out, r)
			}
		})
	}
}

func TestSeccompTrapCanBeCaught(t *testing.T) {
	b := newBox(t, seccomp(rule(specs.ActTrap, makesDirectories...)), runProbe("trap", "31", ",", "mkdir", "/x", ",", "say", "after"))
	if out := b.mustRun(); !strings.HasPrefix(out, "signal 31\n") || !strings.HasSuffix(out, "after\n") {
		t.Errorf("got %q", out)
	}
}

func TestSeccompReturnsTheErrnoAskedFor(t *testing.T) {
	b := newBox(t, seccomp(rule(specs.ActErrno, makesDirectories...)), runProbe("mkdir", "/x"))
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.Syscalls[0].ErrnoRet = ptr(uint(unix.ENOMEDIUM)) }))
	b.wantOutput("mkdir /x: ENOMEDIUM")
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.Syscalls[0].ErrnoRet = new(uint(0)) }))
	b.wantOutput("mkdir /x: ok")
}

// probesCalls are the system calls that the probe and the C library's start need.
var probesCalls = strings.Fields(`access arch_prctl brk close execve exit exit_group fcntl fstat futex getrandom ioctl lseek mmap mprotect munmap

	newfstatat openat prlimit64 read readlink readlinkat rseq rt_sigaction rt_sigprocmask set_robust_list set_tid_address write writev`)

func TestSeccompDefaultActionAndItsErrno(t *testing.T) {
	b := newBox(t, seccomp(rule(specs.ActAllow, probesCalls...)), runProbe("mkdir", "/x"))
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.DefaultAction = specs.ActErrno }))
	b.wantOutput("mkdir /x: EPERM")
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.DefaultErrnoRet = ptr(uint(unix.EXDEV)) }))
	b.wantOutput("mkdir /x: EXDEV")
}

// A program that tries a new system call and falls back to an old one must not take EPERM for an answer.
func TestSyscallsNewerThanTheProfileDoNotExist(t *testing.T) {
	b := newBox(t, seccomp(rule(specs.ActAllow, probesCalls...)), runProbe("syscall", "4000", ",", "mkdir", "/x"))
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.DefaultAction = specs.ActErrno }))
	b.wantOutput("syscall 4000: ENOSYS", "mkdir /x: EPERM")
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.DefaultErrnoRet = ptr(uint(unix.ENOMEDIUM)) }))
	b.wantOutput("syscall 4000: ENOSYS", "mkdir /x: ENOMEDIUM")
}

func TestSeccompOperatorsCompareTheArgument(t *testing.T) {
	for _, c := range []struct {
		op          specs.LinuxSeccompOperator
		value, two  uint64
		hits, fails []int
	}{
		{specs.OpEqualTo, 5, 0, []int{5}, []int{4, 6}},
		{specs.OpNotEqual, 5, 0, []int{4, 6}, []int{5}},
		{specs.OpLessThan, 5, 0, []int{4, 0}, []int{5, 6}},
		{specs.OpLessEqual, 5, 0, []int{4, 5}, []int{6}},
		{specs.OpGreaterThan, 5, 0, []int{6}, []int{5, 4}},
		{specs.OpGreaterEqual, 5, 0, []int{5, 6}, []int{4}},
		{specs.OpMaskedEqual, 6, 4, []int{4, 5}, []int{6, 2}},
	} {
		t.Run(string(c.op), func(t *testing.T) {
			b := newBox(t, seccomp(specs.LinuxSyscall{
				Names: []string{"umask"}, Action: specs.ActErrno, ErrnoRet: ptr(uint(unix.ENOMEDIUM)),
				Args: []specs.LinuxSeccompArg{{Index: 0, Op: c.op, Value: c.value, ValueTwo: c.two}},
			}))
			var verbs, want []string
			for list, outcome := range map[*[]int]string{&c.hits: "ENOMEDIUM", &c.fails: "ok"} {
				for _, value := range *list {
					verbs = append(verbs, ",", "syscall", fmt.Sprint(unix.SYS_UMASK), fmt.Sprint(value))
					want = append(want, fmt.Sprintf("syscall %d %d: %s", unix.SYS_UMASK, value, outcome))
				}
			}
			b.edit(runProbe(verbs[1:]...)).wantOutput(want...)
		})
	}
}

func TestSeccompConditionsAreAllNeededUnlessOnOneArgument(t *testing.T) {
	nr := fmt.Sprint(unix.SYS_UMASK)
	arg := func(index uint, value uint64) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: index, Op: specs.OpEqualTo, Value: value}
	}
	b := newBox(t, seccomp(specs.LinuxSyscall{Names: []string{"umask"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{arg(0, 1), arg(1, 2)}}),
		runProbe("syscall", nr, "1", "2", ",", "syscall", nr, "1", "3", ",", "syscall", nr, "2", "2"))
	b.wantOutput("syscall "+nr+" 1 2: EPERM", "syscall "+nr+" 1 3: ok", "syscall "+nr+" 2 2: ok")
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args = []specs.LinuxSeccompArg{arg(0, 1), arg(0, 2)} }))
	b.wantOutput("syscall "+nr+" 1 2: EPERM", "syscall "+nr+" 1 3: EPERM", "syscall "+nr+" 2 2: EPERM")
}

func TestSeccompCannotBeEvadedByAnotherArchitecture(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the probe has 32-bit calls only on x86-64")
	}
	const mkdir32 = "39"
	b := newBox(t, seccomp(rule(specs.ActErrno, makesDirectories...)), runProbe("say", "before", ",", "syscall32", mkdir32))
	if r := b.run(); r.code != signalled(unix.SIGSYS) || r.stdout != "before\n" {
		t.Errorf("want the 32-bit call to be fatal: %s", r)
	}
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.Architectures = []specs.Arch{specs.ArchX86_64, specs.ArchX86} }))
	b.wantOutput("before", "syscall32 39: EPERM")
}

func TestSeccompIsInForceWithAndWithoutNewPrivileges(t *testing.T) {
	for _, nnp := range []bool{true, false} {
		b := newBox(t, seccomp(rule(specs.ActErrno, makesDirectories...)), process(func(p *specs.Process) { p.NoNewPrivileges = nnp }), user(1000, 1000))
		r := b.report()
		if r.status("Seccomp") != "2" || r.status("NoNewPrivs") != map[bool]string{true: "1", false: "0"}[nnp] {
			t.Errorf("Seccomp %s, NoNewPrivs %s", r.status("Seccomp"), r.status("NoNewPrivs"))
		}
	}
}

func TestSeccompMayForbidWhatHullItselfCalls(t *testing.T) {
	for _, nnp := range []bool{true, false} {
		b := newBox(t, seccomp(rule(specs.ActErrno, "chdir", "getcwd", "umask", "setrlimit", "prlimit64", "openat2", "mount", "setsid")),
			process(func(p *specs.Process) { p.NoNewPrivileges, p.Cwd = nnp, "/tmp" }), runProbe("open", "../etc/passwd", "r", ",", "chroot", "/"))
		b.wantOutput("open ../etc/passwd r: ok", "chroot /: EPERM")
	}
}

func TestSeccompIsInForceForExecToo(t *testing.T) {
	b := running(t, seccomp(rule(specs.ActErrno, makesDirectories...)))
	if got := b.must("exec", b.id, "/bin/probe", "mkdir", "/x").stdout; got != "mkdir /x: EPERM\n" {
		t.Errorf("got %q", got)
	}
}

func TestSeccompFlagsAreAccepted(t *testing.T) {
	for _, flag := range []specs.LinuxSeccompFlag{"SECCOMP_FILTER_FLAG_TSYNC", specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagSpecAllow} {
		b := newBox(t, seccomp(rule(specs.ActErrno, makesDirectories...)), profile(func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{flag} }), runProbe("mkdir", "/x"))
		b.wantOutput("mkdir /x: EPERM")
	}
}

func TestSeccompWithoutProfileIsOff(t *testing.T) {
	if got := newBox(t).report().status("Seccomp"); got != unfiltered() {
		t.Errorf("Seccomp is %s", got)
	}
}

func TestUnknownSyscallNamesAreSkipped(t *testing.T) {
	b := newBox(t, seccomp(rule(specs.ActErrno, "mkdir", "mkdirat", "call_of_tomorrow")), runProbe("mkdir", "/x"))
	b.wantOutput("mkdir /x: EPERM")
}

func TestSeccompErrorsNameTheField(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*specs.LinuxSeccomp)
		words  []string
	}{
		"default action": {func(p *specs.LinuxSeccomp) { p.DefaultAction = "SCMP_ACT_NOPE" }, []string{"linux.seccomp.defaultAction", "SCMP_ACT_NOPE", "SCMP_ACT_ERRNO"}},
		"action":         {func(p *specs.LinuxSeccomp) { p.Syscalls[0].Action = "SCMP_ACT_NOPE" }, []string{"linux.seccomp.syscalls[0].action", "SCMP_ACT_NOPE"}},
		"architecture":   {func(p *specs.LinuxSeccomp) { p.Architectures = []specs.Arch{"SCMP_ARCH_NOPE"} }, []string{"linux.seccomp.architectures[0]", "SCMP_ARCH_NOPE", "SCMP_ARCH_X86_64"}},
		"operator": {
			func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args = []specs.LinuxSeccompArg{{Op: "SCMP_CMP_NOPE"}} },
			[]string{"linux.seccomp.syscalls[0].args[0].op", "SCMP_CMP_NOPE", "SCMP_CMP_MASKED_EQ"},
		},
		"flag":     {func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{"NOPE"} }, []string{"linux.seccomp.flags[0]", "NOPE"}},
		"no names": {func(p *specs.LinuxSeccomp) { p.Syscalls[0].Names = nil }, []string{"linux.seccomp.syscalls[0].names"}},
		"errno": {func(p *specs.LinuxSeccomp) {
			p.Syscalls[0].Action, p.Syscalls[0].ErrnoRet = specs.ActKill, new(uint(1))
		}, []string{"linux.seccomp.syscalls[0].errnoRet"}},
		"no agent":   {func(p *specs.LinuxSeccomp) { p.Syscalls[0].Action = specs.ActNotify }, []string{"linux.seccomp", "listenerPath"}},
		"lost agent": {func(p *specs.LinuxSeccomp) { p.Syscalls[0].Action, p.ListenerPath = specs.ActNotify, "/no/such/socket" }, []string{"linux.seccomp.listenerPath", "/no/such/socket", "no such file or directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "lost agent" {
				needListener(t)
			}
			b := newBox(t, seccomp(rule(specs.ActErrno, makesDirectories...)), profile(c.change))
			b.run().expect(b, 1, c.words...)
			b.wantNothingLeft()
		})
	}
}
