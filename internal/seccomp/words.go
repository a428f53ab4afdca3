package seccomp

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// A word is one constant of config-linux.md#seccomp and what it stands for.
type word[Name ~string, Value any] struct {
	name  Name
	value Value
}

// The tables are in the order in which errors and Supported list them.

var actions = []word[specs.LinuxSeccompAction, libseccomp.ScmpAction]{
	{specs.ActAllow, libseccomp.ActAllow},
	{specs.ActErrno, libseccomp.ActErrno},
	{specs.ActKill, libseccomp.ActKillThread},
	{specs.ActKillProcess, libseccomp.ActKillProcess},
	{specs.ActKillThread, libseccomp.ActKillThread},
	{specs.ActLog, libseccomp.ActLog},
	{specs.ActNotify, libseccomp.ActNotify},
	{specs.ActTrace, libseccomp.ActTrace},
	{specs.ActTrap, libseccomp.ActTrap},
}

var operators = []word[specs.LinuxSeccompOperator, libseccomp.ScmpCompareOp]{
	{specs.OpEqualTo, libseccomp.CompareEqual},
	{specs.OpGreaterEqual, libseccomp.CompareGreaterEqual},
	{specs.OpGreaterThan, libseccomp.CompareGreater},
	{specs.OpLessEqual, libseccomp.CompareLessOrEqual},
	{specs.OpLessThan, libseccomp.CompareLess},
	{specs.OpMaskedEqual, libseccomp.CompareMaskedEqual},
	{specs.OpNotEqual, libseccomp.CompareNotEqual},
}

var architectures = []word[specs.Arch, libseccomp.ScmpArch]{
	{specs.ArchAARCH64, libseccomp.ArchARM64},
	{specs.ArchARM, libseccomp.ArchARM},
	{specs.ArchLOONGARCH64, libseccomp.ArchLOONGARCH64},
	{specs.ArchM68K, libseccomp.ArchM68K},
	{specs.ArchMIPS, libseccomp.ArchMIPS},
	{specs.ArchMIPS64, libseccomp.ArchMIPS64},
	{specs.ArchMIPS64N32, libseccomp.ArchMIPS64N32},
	{specs.ArchMIPSEL, libseccomp.ArchMIPSEL},
	{specs.ArchMIPSEL64, libseccomp.ArchMIPSEL64},
	{specs.ArchMIPSEL64N32, libseccomp.ArchMIPSEL64N32},
	{specs.ArchPARISC, libseccomp.ArchPARISC},
	{specs.ArchPARISC64, libseccomp.ArchPARISC64},
	{specs.ArchPPC, libseccomp.ArchPPC},
	{specs.ArchPPC64, libseccomp.ArchPPC64},
	{specs.ArchPPC64LE, libseccomp.ArchPPC64LE},
	{specs.ArchRISCV64, libseccomp.ArchRISCV64},
	{specs.ArchS390, libseccomp.ArchS390},
	{specs.ArchS390X, libseccomp.ArchS390X},
	{specs.ArchSH, libseccomp.ArchSH},
	{specs.ArchSHEB, libseccomp.ArchSHEB},
	{specs.ArchX32, libseccomp.ArchX32},
	{specs.ArchX86, libseccomp.ArchX86},
	{specs.ArchX86_64, libseccomp.ArchAMD64},
}

// specs-go has no constant for TSYNC; config-linux.md lists it.
var flags = []word[specs.LinuxSeccompFlag, uint64]{
	{"SECCOMP_FILTER_FLAG_TSYNC", unix.SECCOMP_FILTER_FLAG_TSYNC},
	{specs.LinuxSeccompFlagLog, unix.SECCOMP_FILTER_FLAG_LOG},
	{specs.LinuxSeccompFlagSpecAllow, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{specs.LinuxSeccompFlagWaitKillableRecv, unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
}

func lookup[Name ~string, Value any](table []word[Name, Value], name Name) (Value, bool) {
	for _, w := range table {
		if w.name == name {
			return w.value, true
		}
	}
	var none Value
	return none, false
}

func names[Name ~string, Value any](table []word[Name, Value]) []string {
	list := make([]string, len(table))
	for i, w := range table {
		list[i] = string(w.name)
	}
	return list
}
