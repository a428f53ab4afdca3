package seccomp

import (
	"math/rand/v2"
	"strings"
	"testing"

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
	is32  bool // libseccomp compares the lower halves of arguments only
}

var ways = []way{
	{specs.ArchX86_64, libseccomp.ArchAMD64, unix.AUDIT_ARCH_X86_64, 0, false},
	{specs.ArchX32, libseccomp.ArchX32, unix.AUDIT_ARCH_X86_64, x32Bit, true},
	{specs.ArchX86, libseccomp.ArchX86, unix.AUDIT_ARCH_I386, 0, true},
	{specs.ArchAARCH64, libseccomp.ArchARM64, unix.AUDIT_ARCH_AARCH64, 0, false},
	{specs.ArchARM, libseccomp.ArchARM, unix.AUDIT_ARCH_ARM, 0, true},
}

func (w *way) listed(s *specs.LinuxSeccomp) bool {
	native, _ := libseccomp.GetNativeArch()
	if native == w.arch {
		return true
	}
	for _, name := range s.Architectures {
		if name == w.name {
			return true
		}
	}
	return false
}

// named tells whether a rule's names hold the number.
func (w *way) named(call *specs.LinuxSyscall, nr uint32) bool {
	for _, name := range call.Names {
		if n, ok := w.number(name); ok && n == nr {
			return true
		}
	}
	return false
}

func (w *way) number(name string) (uint32, bool) {
	n, err := libseccomp.GetSyscallFromNameByArch(name, w.arch)
	return uint32(n), err == nil && n >= 0
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
	for _, conditional := range []bool{false, true} {
		for i := range s.Syscalls {
			call := &s.Syscalls[i]
			// A rule that says what the default says is no rule.
			if len(call.Args) > 0 != conditional || !w.named(call, nr) || modelReturn(call.Action, call.ErrnoRet) == def {
				continue
			}
			if matches(call, args, w.is32) {
				return modelReturn(call.Action, call.ErrnoRet)
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
			if w.arch == libseccomp.ArchX86 && !ok && multiplexed(name) {
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

func multiplexed(name string) bool {
	n, err := libseccomp.GetSyscallFromNameByArch(name, libseccomp.ArchX86)
	return err == nil && n < -100 && n > -1000
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

// calls are system calls at and around every number that the profile names,
// with arguments at and around every value it has.
func calls(s *specs.LinuxSeccomp, w *way, r *rand.Rand) []data {
	numbers := []uint32{0, 1, 300, 334, 335, 462, 511, 512, 547, 548, 600, 0xeffff, 0xf0000, 0xf0006, 0xf0800}
	values := []uint64{0, 1, 1 << 31, 1 << 32, 1<<64 - 1}
	for i := range s.Syscalls {
		for _, name := range s.Syscalls[i].Names {
			if n, ok := w.number(name); ok {
				numbers = append(numbers, n-w.base, n-w.base+1)
			}
		}
		for _, a := range s.Syscalls[i].Args {
			values = append(values, a.Value-1, a.Value, a.Value+1, a.ValueTwo, a.ValueTwo|^a.Value)
		}
	}
	var list []data
	for _, n := range numbers {
		for range 8 {
			d := data{nr: w.base + n, arch: w.audit, ip: r.Uint64()}
			for i := range d.args {
				d.args[i] = values[r.IntN(len(values))]
			}
			list = append(list, d)
		}
	}
	return list
}

// agrees compares a compiled profile with the model.
func agrees(t *testing.T, s *specs.LinuxSeccomp, r *rand.Rand) {
	t.Helper()
	f, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	code := decode(f.Program)
	for i := range ways {
		w := &ways[i]
		for _, d := range calls(s, w, r) {
			if w.arch == libseccomp.ArchAMD64 && d.nr >= x32Bit || w.arch == libseccomp.ArchX86 && socketcallOrIPC(d.nr) {
				continue
			}
			got, err := interpret(code, d)
			if err != nil {
				t.Fatal(err)
			}
			if want := model(s, w, d.nr, d.args); got != want {
				t.Fatalf("%s: nr %#x args %x: the filter returns %#x, the model %#x", w.name, d.nr, d.args, got, want)
			}
		}
	}
}

// socketcallOrIPC tells the numbers on 32-bit x86 whose rules libseccomp
// invents: socketcall, ipc and the direct calls of their families.
func socketcallOrIPC(nr uint32) bool {
	return nr == 102 || nr == 117 || nr == 337 || nr == 345 || 359 <= nr && nr <= 373 || 393 <= nr && nr <= 402
}
