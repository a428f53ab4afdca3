package seccomp

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A program that finds a system call missing (ENOSYS) uses an older one; one
// that finds it forbidden (EPERM) gives up. A profile forbids by omission, so
// every syscall added to Linux after it was written would look forbidden, and
// C libraries that try new calls first would break. So, as in runc, a syscall
// whose number is above all those the profile names for its ABI gets ENOSYS.
// No rule is ever hidden by it.

const retENOSYS = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)

// span is a range of numbers, both ends included.
type span struct{ first, last uint32 }

func (s span) has(nr uint32) bool { return s.first <= nr && nr <= s.last }

// newerThan is the numbers of the ABI above those that the profile names.
// There are none where ENOSYS would change what was asked for: a default that
// lets the call through (ALLOW, LOG) or leaves it to a tracer (TRACE).
func newerThan(s *specs.LinuxSeccomp, a *abi) []span {
	switch s.DefaultAction {
	case specs.ActAllow, specs.ActLog, specs.ActTrace:
		return nil
	}
	newest, found := uint32(0), false
	for i := range s.Syscalls {
		for _, name := range s.Syscalls[i].Names {
			nr, ok := a.greatest(name)
			if ok && !a.isApart(nr) {
				newest, found = max(newest, nr), true
			}
		}
	}
	if !found || newest >= a.newest {
		return nil
	}
	if a.apartEnd == 0 || newest > a.apartEnd {
		return []span{{newest + 1, a.newest}}
	}
	return []span{{newest + 1, a.apart - 1}, {a.apartEnd + 1, a.newest}}
}

func (a *abi) isApart(nr uint32) bool {
	return a.apartEnd != 0 && span{a.apart, a.apartEnd}.has(nr)
}

// greatest is the greatest number with which the named syscall can be made.
func (a *abi) greatest(name string) (uint32, bool) {
	nr, ok := resolve(name, a.arch)
	if ok && nr < 0 {
		_, _, last := family(nr)
		return last, true
	}
	return uint32(nr), ok
}
