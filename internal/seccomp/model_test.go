package seccomp

import (
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// The model says in plain Go what a filter must return. It leaves to libseccomp
// only the numbers of names. Profiles whose rules contradict each other in
// ways the spec does not settle are outside of it.

var returns = map[specs.LinuxSeccompAction]uint32{
	specs.ActAllow:       unix.SECCOMP_RET_ALLOW,
	specs.ActErrno:       unix.SECCOMP_RET_ERRNO,
	specs.ActKill:        unix.SECCOMP_RET_KILL_THREAD,
	specs.ActKillProcess: unix.SECCOMP_RET_KILL_PROCESS,
	specs.ActKillThread:  unix.SECCOMP_RET_KILL_THREAD,
	specs.ActLog:         unix.SECCOMP_RET_LOG,
	specs.ActNotify:      unix.SECCOMP_RET_USER_NOTIF,
	specs.ActTrace:       unix.SECCOMP_RET_TRACE,
	specs.ActTrap:        unix.SECCOMP_RET_TRAP,
}

func modelReturn(action specs.LinuxSeccompAction, errno *uint) uint32 {
	r := returns[action]
	if action == specs.ActErrno || action == specs.ActTrace {
		if errno == nil {
			return r | uint32(unix.EPERM)
		}
		return r | uint32(*errno)
	}
	return r
}

// way is one way into the kernel, as the model sees it.
type way struct {
	name  specs.Arch
	arch  libseccomp.ScmpArch
	audit uint32
	base  uint32
	is32  bool // only the lower halves of arguments are compared

	numbers map[string]libseccomp.ScmpSyscall
}

var ways = []way{
	{specs.ArchX86_64, libseccomp.ArchAMD64, unix.AUDIT_ARCH_X86_64, 0, false, map[string]libseccomp.ScmpSyscall{}},
	{specs.ArchX32, libseccomp.ArchX32, unix.AUDIT_ARCH_X86_64, x32Bit, true, map[string]libseccomp.ScmpSyscall{}},
	{specs.ArchX86, libseccomp.ArchX86, unix.AUDIT_ARCH_I386, 0, true, map[string]libseccomp.ScmpSyscall{}},
	{specs.ArchAARCH64, libseccomp.ArchARM64, unix.AUDIT_ARCH_AARCH64, 0, false, map[string]libseccomp.ScmpSyscall{}},
	{specs.ArchARM, libseccomp.ArchARM, unix.AUDIT_ARCH_ARM, 0, true, map[string]libseccomp.ScmpSyscall{}},
}

func (w *way) listed(s *specs.LinuxSeccomp) bool {
	native, _ := libseccomp.GetNativeArch()
	if native == w.arch {
		return true
	}
	return slices.Contains(s.Architectures, w.name)
}

// named tells whether a call is the one that a name stands for. Where 32-bit
// x86 makes it through socketcall(2) or ipc(2), the first argument tells, and
// the arguments that the entry looks at cannot be seen.
func (w *way) named(name string, nr uint32, args [maxArgs]uint64) (is, blind bool) {
	n, ok := w.resolve(name)
	switch {
	case !ok:
	case uint32(n) == nr && n >= 0:
		return true, false
	case w.arch != libseccomp.ArchX86 || n < -224:
	case nr != 0 && direct[name] == nr:
		return true, false
	case n <= -200 && nr == 117 && uint32(args[0]) == uint32(-200-n),
		n > -200 && nr == 102 && uint32(args[0]) == uint32(-100-n):
		return true, true
	}
	return false, false
}

// hit tells whether an entry is for a call. Rules for all calls of a number have
// rank 0, those for parts of it rank 1, and those with args rank 2.
func (w *way) hit(call *specs.LinuxSyscall, rank int, nr uint32, args [maxArgs]uint64) bool {
	for _, name := range call.Names {
		is, blind := w.named(name, nr, args)
		its := 0
		switch {
		case len(call.Args) > 0:
			its = 2
		case blind:
			its = 1
		}
		if is && its == rank && (blind || matches(call, args, w.is32)) {
			return true
		}
	}
	return false
}

// direct are the numbers of their own: asm/unistd_32.h.
var direct = map[string]uint32{
	"recvmmsg": 337, "sendmmsg": 345, "socket": 359, "socketpair": 360, "bind": 361, "connect": 362, "listen": 363,
	"accept4": 364, "getsockopt": 365, "setsockopt": 366, "getsockname": 367, "getpeername": 368, "sendto": 369,
	"sendmsg": 370, "recvfrom": 371, "recvmsg": 372, "shutdown": 373, "semget": 393, "semctl": 394, "shmget": 395,
	"shmctl": 396, "shmat": 397, "shmdt": 398, "msgget": 399, "msgsnd": 400, "msgrcv": 401, "msgctl": 402,
}

func (w *way) number(name string) (uint32, bool) {
	n, ok := w.resolve(name)
	return uint32(n), ok && n >= 0
}

// resolve remembers: the model asks for each name many times.
func (w *way) resolve(name string) (libseccomp.ScmpSyscall, bool) {
	if n, ok := w.numbers[name]; ok {
		return n, n != -1
	}
	n, err := libseccomp.GetSyscallFromNameByArch(name, w.arch)
	if err != nil || strings.Contains(name, "\x00") {
		n = -1
	}
	w.numbers[name] = n
	return n, n != -1
}

func holds(arg specs.LinuxSeccompArg, args [maxArgs]uint64, is32 bool) bool {
	v, one, two := args[arg.Index], arg.Value, arg.ValueTwo
	if is32 {
		v, one, two = uint64(uint32(v)), uint64(uint32(one)), uint64(uint32(two))
	}
	switch arg.Op {
	case specs.OpNotEqual:
		return v != one
	case specs.OpLessThan:
		return v < one
	case specs.OpLessEqual:
		return v <= one
	case specs.OpEqualTo:
		return v == one
	case specs.OpGreaterEqual:
		return v >= one
	case specs.OpGreaterThan:
		return v > one
	}
	return v&one == two&one // MASKED_EQ; bits outside the mask say nothing
}

func matches(call *specs.LinuxSyscall, args [maxArgs]uint64, is32 bool) bool {
	var count [maxArgs]int
	twice := false
	for _, arg := range call.Args {
		count[arg.Index]++
		twice = twice || count[arg.Index] > 1
	}
	for _, arg := range call.Args {
		if holds(arg, args, is32) == twice {
			return twice // one of the alternatives holds, or one of all does not
		}
	}
	return !twice
}

// model is what the filter of s must return for a call.
func model(s *specs.LinuxSeccomp, w *way, nr uint32, args [maxArgs]uint64) uint32 {
	if !w.listed(s) {
		return unix.SECCOMP_RET_KILL_THREAD
	}
	def := modelReturn(s.DefaultAction, s.DefaultErrnoRet)
	for rank := range 3 {
		for i := range s.Syscalls {
			call := &s.Syscalls[i]
			ret := modelReturn(call.Action, call.ErrnoRet)
			if ret != def && w.hit(call, rank, nr, args) { // one that says what the default says is no rule
				return ret
			}
		}
	}
	if modelNewer(s, w, nr) {
		return unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	}
	return def
}

func modelNewer(s *specs.LinuxSeccomp, w *way, nr uint32) bool {
	switch s.DefaultAction {
	case specs.ActAllow, specs.ActLog, specs.ActTrace:
		return false
	}
	newest, any := uint32(0), false
	for i := range s.Syscalls {
		for _, name := range s.Syscalls[i].Names {
			n, ok := w.number(name)
			if w.arch == libseccomp.ArchX86 && !ok && w.multiplexed(name) {
				n, ok = 373, true
				if strings.HasPrefix(name, "sem") || strings.HasPrefix(name, "shm") || strings.HasPrefix(name, "msg") {
					n = 402
				}
			}
			if ok && !apart(w, n) {
				newest, any = max(newest, n), true
			}
		}
	}
	return any && nr > newest && nr < 0x80000000 && !apart(w, nr)
}

func (w *way) multiplexed(name string) bool {
	n, ok := w.resolve(name)
	return ok && n < -100 && n > -1000
}

func apart(w *way, nr uint32) bool {
	switch w.arch {
	case libseccomp.ArchX32:
		return nr >= x32Bit+512 && nr < x32Bit+548
	case libseccomp.ArchARM:
		return nr >= 0xf0000 && nr < 0xf0800
	}
	return false
}
