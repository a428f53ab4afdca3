package seccomp

import (
	"fmt"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const (
	// libseccomp refuses the kernel's MAX_ERRNO (4095) itself; real numbers end near 530.
	maxErrno = 4094
	// The data part of a filter's return value has 16 bits: seccomp(2).
	maxTrace = 0xffff
	// A system call has six arguments: struct seccomp_data in seccomp(2).
	maxArgs = 6
)

// check refuses what has no meaning as a filter. specconv has done so before, and told what is wrong
// and where in the file; but a filter must not come to mean something else when somebody forgets that.
func check(s *specs.LinuxSeccomp) error {
	bad := func(path string) error { return fmt.Errorf("linux.seccomp.%s: cannot be compiled", path) }
	if !sound(s.DefaultAction, s.DefaultErrnoRet) || s.DefaultAction == specs.ActNotify {
		return bad("defaultAction")
	}
	for i, arch := range s.Architectures {
		if _, ok := lookup(architectures, arch); !ok {
			return bad(fmt.Sprintf("architectures[%d]", i))
		}
	}
	for i, flag := range s.Flags {
		if _, ok := lookup(flags, flag); !ok {
			return bad(fmt.Sprintf("flags[%d]", i))
		}
	}
	for i := range s.Syscalls {
		call := &s.Syscalls[i]
		if !sound(call.Action, call.ErrnoRet) || call.Action == specs.ActNotify && !answered(s, call) {
			return bad(fmt.Sprintf("syscalls[%d]", i))
		}
		for j, arg := range call.Args {
			if _, ok := lookup(operators, arg.Op); !ok || arg.Index >= maxArgs {
				return bad(fmt.Sprintf("syscalls[%d].args[%d]", i, j))
			}
		}
	}
	return nil
}

// sound is whether an action can be returned with the errno beside it.
func sound(action specs.LinuxSeccompAction, errno *uint) bool {
	_, ok := lookup(actions, action)
	return ok && (errno == nil || action == specs.ActErrno && *errno <= maxErrno || action == specs.ActTrace && *errno <= maxTrace)
}

// answered is whether somebody answers to NOTIFY.
//
// The stage tells the number of the listener's descriptor by write(2) when the
// filter is already in force, so a write that waits for the agent would wait
// forever. Everything later (read, close, execve …) may be notified: by then
// the agent has the listener.
func answered(s *specs.LinuxSeccomp, call *specs.LinuxSyscall) bool {
	return s.ListenerPath != "" && !slices.Contains(call.Names, "write")
}
