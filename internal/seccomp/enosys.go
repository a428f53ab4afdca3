package seccomp

import (
	"encoding/binary"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// A program that finds a system call missing (ENOSYS) uses an older one; one
// that finds it forbidden (EPERM) gives up. A profile forbids by omission, so
// every syscall added to Linux after it was written would look forbidden, and
// C libraries that try new calls first would break. So, as in runc, a syscall
// whose number is above all those the profile names for its architecture gets
// ENOSYS: a few instructions put before libseccomp's program. Numbers below
// are left to it, and no rule is ever hidden.
//
// Not where it would change what was asked for: a default that lets the call
// through (ALLOW, LOG), leaves it to a tracer (TRACE), or is ENOSYS already.

// abi is one way into the kernel with numbers of its own. hull runs on x86-64
// and arm64; a filter for others is never asked.
type abi struct {
	arch  libseccomp.ScmpArch
	audit uint32 // seccomp_data.arch
	first uint32 // numbers are first … last
	last  uint32
	// Numbers apart from the sequence to which new syscalls are added: none
	// of them is newer than another. Empty if apartEnd is 0.
	apart, apartEnd uint32
}

// In the order of their numbers, for ABIs that share an AUDIT_ARCH. Numbers
// with the topmost bit are negative, not syscalls: a tracer's -1.
var abis = []abi{
	{arch: libseccomp.ArchAMD64, audit: unix.AUDIT_ARCH_X86_64, last: x32Bit - 1},
	// 512 … 547 are x32's own variants of old syscalls: asm/unistd_x32.h.
	{arch: libseccomp.ArchX32, audit: unix.AUDIT_ARCH_X86_64, first: x32Bit, last: 0x7fffffff,
		apart: x32Bit + 512, apartEnd: x32Bit + 547},
	{arch: libseccomp.ArchX86, audit: unix.AUDIT_ARCH_I386, last: 0x7fffffff},
	{arch: libseccomp.ArchARM64, audit: unix.AUDIT_ARCH_AARCH64, last: 0x7fffffff},
	// __ARM_NR_COMPAT_BASE … __ARM_NR_COMPAT_END: cacheflush, set_tls.
	{arch: libseccomp.ArchARM, audit: unix.AUDIT_ARCH_ARM, last: 0x7fffffff, apart: 0xf0000, apartEnd: 0xf07ff},
}

const x32Bit = 0x40000000 // __X32_SYSCALL_BIT

// span is a range of numbers, both ends included.
type span struct{ first, last uint32 }

// enosysPrelude is the code that goes before libseccomp's program, or nil.
func enosysPrelude(s *specs.LinuxSeccomp, archs []target) []byte {
	switch s.DefaultAction {
	case specs.ActAllow, specs.ActLog, specs.ActTrace:
		return nil
	case specs.ActErrno:
		if errnoOf(s.DefaultErrnoRet) == uint(unix.ENOSYS) {
			return nil
		}
	}
	var audits []uint32 // in order of appearance
	newer := map[uint32][]span{}
	for _, a := range abis {
		if !slices.ContainsFunc(archs, func(t target) bool { return t.arch == a.arch }) {
			continue // libseccomp's program refuses all its calls
		}
		spans := a.newer(s)
		if len(spans) > 0 && newer[a.audit] == nil {
			audits = append(audits, a.audit)
		}
		newer[a.audit] = append(newer[a.audit], spans...)
	}
	return assemble(audits, newer)
}

// newer is the numbers of the ABI above those that the profile names.
func (a *abi) newer(s *specs.LinuxSeccomp) []span {
	newest, found := uint32(0), false
	for i := range s.Syscalls {
		for _, name := range s.Syscalls[i].Names {
			number, ok := a.number(name)
			if !ok || a.isApart(number) {
				continue
			}
			newest, found = max(newest, number), true
		}
	}
	if !found || newest >= a.last {
		return nil
	}
	if a.apartEnd == 0 || newest > a.apartEnd {
		return []span{{newest + 1, a.last}}
	}
	spans := []span{{newest + 1, a.apart - 1}, {a.apartEnd + 1, a.last}}
	if newest+1 == a.apart {
		return spans[1:]
	}
	return spans
}

func (a *abi) isApart(number uint32) bool {
	return a.apartEnd != 0 && a.apart <= number && number <= a.apartEnd
}

// number is the greatest number under which the ABI has the named syscall.
//
// Where 32-bit x86 has a syscall as a part of socketcall(2) or ipc(2), maybe
// with a number of its own as well (Linux 4.3, 5.1), libseccomp resolves the
// name to a pseudo-number (-101 … -120, -201 … -224) and makes rules for both.
// The last number of the family stands for each of them.
func (a *abi) number(name string) (uint32, bool) {
	const shutdown, msgctl = 373, 402
	number, ok := resolve(name, a.arch)
	switch {
	case !ok:
		return 0, false
	case -120 <= number && number <= -101:
		return shutdown, true
	case number < 0:
		return msgctl, true
	}
	return uint32(number), true
}

// Offsets in struct seccomp_data: seccomp(2).
const (
	dataNr   = 0
	dataArch = 4
)

// assemble writes, for each architecture,
//
//	    ld  [arch]
//	    jeq #audit, next, other
//	    ld  [nr]
//	    jge #first, next, filter     one pair for each span
//	    jgt #last, next, enosys
//	    ja  filter
//	other:
//
// and at the end the return of ENOSYS, after which libseccomp's program begins.
// Only loads of nr and arch and plain jumps: the kernel (5.11) can still see
// which syscalls are always allowed and skip the filter for them.
func assemble(audits []uint32, newer map[uint32][]span) []byte {
	if len(audits) == 0 {
		return nil
	}
	const (
		load = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		jump = unix.BPF_JMP | unix.BPF_JA
		jeq  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		jge  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		jgt  = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	)
	size := 3 // ld arch … ja filter, ret
	for _, audit := range audits {
		size += 3 + 2*len(newer[audit])
	}
	var code []unix.SockFilter
	emit := func(op uint16, jt, jf int, k uint32) {
		code = append(code, unix.SockFilter{Code: op, Jt: uint8(jt), Jf: uint8(jf), K: k})
	}
	// Jumps count from the next instruction.
	toFilter := func() int { return size - len(code) - 1 }
	toENOSYS := func() int { return toFilter() - 1 }

	emit(load, 0, 0, dataArch)
	for _, audit := range audits {
		spans := newer[audit]
		emit(jeq, 0, 2+2*len(spans), audit)
		emit(load, 0, 0, dataNr)
		for _, s := range spans {
			emit(jge, 0, toFilter(), s.first)
			emit(jgt, 0, toENOSYS(), s.last)
		}
		emit(jump, 0, 0, uint32(toFilter()))
	}
	emit(jump, 0, 0, uint32(toFilter()))
	emit(unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS))
	return encode(code)
}

func encode(code []unix.SockFilter) []byte {
	b := make([]byte, 0, len(code)*insnSize)
	for _, i := range code {
		b = binary.NativeEndian.AppendUint16(b, i.Code)
		b = append(b, i.Jt, i.Jf)
		b = binary.NativeEndian.AppendUint32(b, i.K)
	}
	return b
}
