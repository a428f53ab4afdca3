package specconv

import (
	"fmt"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// The words of config-linux.md, Seccomp. What they mean to libseccomp is known to internal/seccomp.
var (
	seccompActions = [...]string{
		string(specs.ActKill), string(specs.ActKillProcess), string(specs.ActKillThread), string(specs.ActTrap),
		string(specs.ActErrno), string(specs.ActTrace), string(specs.ActAllow), string(specs.ActLog),
		string(specs.ActNotify),
	}
	seccompOperators = [...]string{
		string(specs.OpNotEqual), string(specs.OpLessThan), string(specs.OpLessEqual), string(specs.OpEqualTo),
		string(specs.OpGreaterEqual), string(specs.OpGreaterThan), string(specs.OpMaskedEqual),
	}
	seccompArchitectures = [...]string{
		string(specs.ArchX86), string(specs.ArchX86_64), string(specs.ArchX32), string(specs.ArchARM),
		string(specs.ArchAARCH64), string(specs.ArchMIPS), string(specs.ArchMIPS64), string(specs.ArchMIPS64N32),
		string(specs.ArchMIPSEL), string(specs.ArchMIPSEL64), string(specs.ArchMIPSEL64N32), string(specs.ArchPPC),
		string(specs.ArchPPC64), string(specs.ArchPPC64LE), string(specs.ArchS390), string(specs.ArchS390X),
		string(specs.ArchPARISC), string(specs.ArchPARISC64), string(specs.ArchRISCV64),
		string(specs.ArchLOONGARCH64), string(specs.ArchM68K), string(specs.ArchSH), string(specs.ArchSHEB),
	}
	seccompFlags = [...]string{
		"SECCOMP_FILTER_FLAG_TSYNC", string(specs.LinuxSeccompFlagLog), string(specs.LinuxSeccompFlagSpecAllow),
		string(specs.LinuxSeccompFlagWaitKillableRecv),
	}
)

// seccomp is config-linux.md, Seccomp. A profile without default action and syscalls is no profile, as
// engines expect it; see Config.Warnings.
func (k checker) seccomp(s *specs.LinuxSeccomp) {
	if s.DefaultAction == "" && len(s.Syscalls) == 0 {
		return
	}
	k.action("defaultAction", s.DefaultAction, "defaultErrnoRet", s.DefaultErrnoRet)
	if s.DefaultAction == specs.ActNotify {
		k.bad("defaultAction", s.DefaultAction, "cannot be the default: it would stop the system calls that hand over the listener")
	}
	for i, arch := range s.Architectures {
		if !slices.Contains(seccompArchitectures[:], string(arch)) {
			k.at("architectures", i).bad("", arch, "is not an architecture").oneOf(seccompArchitectures[:])
		}
	}
	for i, flag := range s.Flags {
		if !slices.Contains(seccompFlags[:], string(flag)) {
			k.at("flags", i).bad("", flag, "is not a seccomp flag").oneOf(seccompFlags[:])
		}
	}
	notify := -1
	for i := range s.Syscalls {
		k.at("syscalls", i).syscall(&s.Syscalls[i])
		if s.Syscalls[i].Action == specs.ActNotify && notify < 0 {
			notify = i
		}
	}
	if notify >= 0 && s.ListenerPath == "" {
		k.bad("listenerPath", nil, "is missing, but syscalls[%d].action is %s", notify, specs.ActNotify)
	}
	if s.ListenerMetadata != "" && s.ListenerPath == "" {
		k.bad("listenerMetadata", s.ListenerMetadata, "must not be set without listenerPath")
	}
}

// action checks an action and its errno. Only the return values of two actions have room
// for one; see seccomp(2).
func (k checker) action(field string, action specs.LinuxSeccompAction, errnoField string, errno *uint) {
	if !slices.Contains(seccompActions[:], string(action)) {
		k.bad(field, action, "is not a seccomp action").oneOf(seccompActions[:])
		return
	}
	if errno == nil {
		return
	}
	const (
		maxErrno = 4094 // libseccomp refuses the kernel's MAX_ERRNO, 4095
		maxData  = 0xffff
	)
	switch {
	case action != specs.ActErrno && action != specs.ActTrace:
		k.bad(errnoField, *errno, "must not be set with %s", action).hint("it goes with SCMP_ACT_ERRNO and SCMP_ACT_TRACE")
	case action == specs.ActErrno && *errno > maxErrno:
		k.bad(errnoField, *errno, "is more than %d", maxErrno)
	case *errno > maxData:
		k.bad(errnoField, *errno, "is more than %d", maxData)
	}
}

// syscall checks one entry. Names that this host does not know are fine: profiles are written for many.
func (k checker) syscall(s *specs.LinuxSyscall) {
	if len(s.Names) == 0 {
		k.bad("names", nil, "is missing or empty")
	}
	for i, name := range s.Names {
		if name == "" {
			k.bad(fmt.Sprintf("names[%d]", i), name, "must not be empty")
		}
		if name == "write" && s.Action == specs.ActNotify {
			k.bad(fmt.Sprintf("names[%d]", i), name, "cannot have %s: the listener is handed over by write(2)", s.Action)
		}
	}
	k.action("action", s.Action, "errnoRet", s.ErrnoRet)
	for i := range s.Args {
		k := k.at("args", i)
		if s.Args[i].Index > 5 {
			k.bad("index", s.Args[i].Index, "must be between 0 and 5: system calls have six arguments")
		}
		if op := string(s.Args[i].Op); !slices.Contains(seccompOperators[:], op) {
			k.bad("op", op, "is not an operator").oneOf(seccompOperators[:])
		}
	}
}
