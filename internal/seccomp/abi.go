package seccomp

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// abi is one way into the kernel, with system call numbers of its own.
type abi struct {
	name  specs.Arch
	arch  libseccomp.ScmpArch
	audit uint32 // seccomp_data.arch: seccomp(2)
	// Numbers begin at first, and newest is the greatest that a syscall can
	// ever have. Beyond are other ABIs and, with the topmost bit, a tracer's -1.
	first, newest uint32
	// Numbers apart from the sequence to which new syscalls are added: none of
	// them is newer than another. Empty if apartEnd is 0.
	apart, apartEnd uint32
	// Only the lower halves of arguments are compared.
	args32 bool
}

const x32Bit = 0x40000000 // __X32_SYSCALL_BIT: asm/unistd.h

// The ABIs of the kernels that hull runs on, x86-64 and arm64. No call comes in
// any other, so other architectures that a profile lists have no rules. Those
// that share an AUDIT_ARCH are in the order of their numbers.
var abis = []abi{
	{name: specs.ArchX86_64, arch: libseccomp.ArchAMD64, audit: unix.AUDIT_ARCH_X86_64, newest: x32Bit - 1},
	// 512 … 547 are x32's own variants of old syscalls: asm/unistd_x32.h.
	{
		name: specs.ArchX32, arch: libseccomp.ArchX32, audit: unix.AUDIT_ARCH_X86_64, first: x32Bit, newest: 0x7fffffff,
		apart: x32Bit + 512, apartEnd: x32Bit + 547, args32: true,
	},
	{name: specs.ArchX86, arch: libseccomp.ArchX86, audit: unix.AUDIT_ARCH_I386, newest: 0x7fffffff, args32: true},
	{name: specs.ArchAARCH64, arch: libseccomp.ArchARM64, audit: unix.AUDIT_ARCH_AARCH64, newest: 0x7fffffff},
	// __ARM_NR_COMPAT_BASE … __ARM_NR_COMPAT_END: cacheflush, set_tls.
	{
		name: specs.ArchARM, arch: libseccomp.ArchARM, audit: unix.AUDIT_ARCH_ARM, newest: 0x7fffffff,
		apart: 0xf0000, apartEnd: 0xf07ff, args32: true,
	},
}

// abisOf are the native ABI and those of the listed architectures. Calls in
// others kill the thread.
func abisOf(s *specs.LinuxSeccomp) []*abi {
	native, _ := libseccomp.GetNativeArch() // fails only where Go fails too
	var list []*abi
	for i := range abis {
		a := &abis[i]
		wanted := a.arch == native
		for _, name := range s.Architectures {
			wanted = wanted || name == a.name
		}
		if wanted {
			list = append(list, a)
		}
	}
	return list
}

// The numbers on 32-bit x86 through which the calls of the families go, and the
// last that a call of the family has of its own (Linux 4.3, 5.1).
const (
	socketcall, lastOfSocketcall = 102, 373 // shutdown
	ipc, lastOfIPC               = 117, 402 // msgctl
)

// family splits a pseudo-number of libseccomp (-101 … -120, -201 … -224) into
// the syscall it is a part of, the part's number, which is the first argument
// then, and the last of the family's own numbers.
func family(pseudo libseccomp.ScmpSyscall) (nr uint32, part uint64, last uint32) {
	if pseudo > -200 {
		return socketcall, uint64(-pseudo - 100), lastOfSocketcall
	}
	return ipc, uint64(-pseudo - 200), lastOfIPC
}
