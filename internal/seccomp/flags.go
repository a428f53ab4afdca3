package seccomp

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// filterFlags are the flags for seccomp(2). A flag that the profile asks for
// and the kernel lacks is an error.
func filterFlags(s *specs.LinuxSeccomp, notify bool) (uint64, error) {
	var mask uint64
	if s.Flags == nil && probeFlag(unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW) == nil {
		// No list at all is how profiles were written before the field
		// existed, when runtimes switched the mitigation off. [] is none.
		mask = unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	}
	for i, name := range s.Flags {
		flag, _ := lookup(flags, name)
		if err := probeFlag(flag); err != nil {
			return 0, fmt.Errorf("linux.seccomp.flags[%d] (%s): the kernel does not take it: %w", i, name, err)
		}
		mask |= flag
	}
	if notify {
		// seccomp(2) cannot return both a listener and the thread that TSYNC
		// failed for: EINVAL. Whoever loads the filter has one thread anyway.
		return mask&^unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, nil
	}
	// How to wait for a listener says nothing without one, and is EINVAL.
	return mask &^ unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, nil
}

// probeFlag asks the kernel for a flag without installing anything: the flags
// are checked (EINVAL) before the program at address 0 is read (EFAULT).
func probeFlag(flag uint64) error {
	if flag == unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV {
		flag |= unix.SECCOMP_FILTER_FLAG_NEW_LISTENER // EINVAL alone
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flag), 0)
	if errno == unix.EFAULT {
		return nil
	}
	return errno
}
