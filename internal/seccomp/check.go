package seccomp

import (
	"errors"
	"fmt"

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

// problems collects what is wrong with a profile, in the order of its fields.
type problems []error

func (p *problems) add(path string, value any, format string, args ...any) {
	*p = append(*p, fmt.Errorf("%s (%v): %s", path, value, fmt.Sprintf(format, args...)))
}

// Check reports everything about a profile that can be decided without asking
// the kernel or libseccomp: one error per problem, joined by errors.Join, each
// beginning with the JSON path of its field. A profile that Compile takes to
// be absent has no problems.
func Check(s *specs.LinuxSeccomp) error {
	if absent(s) {
		return nil
	}
	var p problems
	p.checkDefault(s)
	for i, arch := range s.Architectures {
		if _, ok := lookup(architectures, arch); !ok {
			p.add(fmt.Sprintf("linux.seccomp.architectures[%d]", i), arch, "unknown architecture; %s", known(architectures))
		}
	}
	for i, flag := range s.Flags {
		if _, ok := lookup(flags, flag); !ok {
			p.add(fmt.Sprintf("linux.seccomp.flags[%d]", i), flag, "unknown flag; %s", known(flags))
		}
	}
	for i := range s.Syscalls {
		p.checkSyscall(fmt.Sprintf("linux.seccomp.syscalls[%d]", i), &s.Syscalls[i])
	}
	p.checkListener(s)
	return errors.Join(p...)
}

func (p *problems) checkDefault(s *specs.LinuxSeccomp) {
	const path = "linux.seccomp.defaultAction"
	if s.DefaultAction == specs.ActNotify {
		p.add(path, s.DefaultAction, "cannot be the default: the listener is handed over by system calls "+
			"made after the filter is in force; give the action to the syscalls that need it")
	}
	p.checkAction(path, s.DefaultAction, "linux.seccomp.defaultErrnoRet", s.DefaultErrnoRet)
}

// checkAction checks an action and the errno beside it: only ERRNO and TRACE take one.
func (p *problems) checkAction(path string, action specs.LinuxSeccompAction, errnoPath string, errno *uint) {
	if _, ok := lookup(actions, action); !ok {
		p.add(path, action, "unknown action; %s", known(actions))
		return
	}
	if errno == nil {
		return
	}
	switch {
	case action != specs.ActErrno && action != specs.ActTrace:
		p.add(errnoPath, *errno, "%s takes no errno; only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do", action)
	case action == specs.ActErrno && *errno > maxErrno:
		p.add(errnoPath, *errno, "not an errno; the greatest is %d", maxErrno)
	case action == specs.ActTrace && *errno > maxTrace:
		p.add(errnoPath, *errno, "too great for a tracer's 16 bits")
	}
}

func (p *problems) checkSyscall(path string, call *specs.LinuxSyscall) {
	if len(call.Names) == 0 {
		p.add(path+".names", "[]", "must name at least one system call")
	}
	p.checkAction(path+".action", call.Action, path+".errnoRet", call.ErrnoRet)
	for i, arg := range call.Args {
		if arg.Index >= maxArgs {
			p.add(fmt.Sprintf("%s.args[%d].index", path, i), arg.Index, "system calls have the arguments 0 to %d", maxArgs-1)
		}
		if _, ok := lookup(operators, arg.Op); !ok {
			p.add(fmt.Sprintf("%s.args[%d].op", path, i), arg.Op, "unknown operator; %s", known(operators))
		}
	}
}

// checkListener refuses what would leave NOTIFY without an answer.
//
// The stage tells the number of the listener's descriptor by write(2) when the
// filter is already in force, so a write that waits for the agent would wait
// forever. Everything later (read, close, execve …) may be notified: by then
// the agent has the listener.
func (p *problems) checkListener(s *specs.LinuxSeccomp) {
	if s.ListenerMetadata != "" && s.ListenerPath == "" {
		p.add("linux.seccomp.listenerMetadata", s.ListenerMetadata, "must not be set without linux.seccomp.listenerPath")
	}
	for i, call := range s.Syscalls {
		if call.Action != specs.ActNotify {
			continue
		}
		if s.ListenerPath == "" {
			p.add("linux.seccomp.listenerPath", `""`, "required, since linux.seccomp.syscalls[%d].action is %s", i, call.Action)
			s = &specs.LinuxSeccomp{ListenerPath: "reported"}
		}
		for j, name := range call.Names {
			if name == "write" {
				p.add(fmt.Sprintf("linux.seccomp.syscalls[%d].names[%d]", i, j), name,
					"cannot have %s: the listener is handed over by write(2) made after the filter is in force", call.Action)
			}
		}
	}
}
