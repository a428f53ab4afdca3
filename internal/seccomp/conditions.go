package seccomp

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// rule returns ret if all conditions hold.
type rule struct {
	all []specs.LinuxSeccompArg
	ret uint32
}

// rulesCode tries the rules for a number in order, and returns the default
// action at the end. It is nil if there are no rules.
func rulesCode(s *specs.LinuxSeccomp, a *abi, nr uint32) []unix.SockFilter {
	rules := rulesFor(s, a, nr)
	if len(rules) == 0 {
		return nil
	}
	var code []unix.SockFilter
	for _, r := range rules {
		code = append(code, r.code(a.args32)...)
	}
	return append(code, unix.SockFilter{Code: opReturn, K: returnOf(s.DefaultAction, s.DefaultErrnoRet)})
}

// rulesFor are the rules for a number that depend on arguments: those of
// entries without args before those with, else in the order of the profile.
func rulesFor(s *specs.LinuxSeccomp, a *abi, nr uint32) []rule {
	var rules []rule
	for _, withArgs := range []bool{false, true} {
		for i := range s.Syscalls {
			call := &s.Syscalls[i]
			if (len(call.Args) > 0) != withArgs || isDefault(s, call) {
				continue
			}
			for _, name := range call.Names {
				for _, all := range a.matching(name, call.Args, nr) {
					rules = append(rules, rule{all, returnOf(call.Action, call.ErrnoRet)})
				}
			}
		}
	}
	return rules
}

// matching is the conditions, any of which makes a call with a number a call of
// the named syscall with the arguments wanted.
func (a *abi) matching(name string, args []specs.LinuxSeccompArg, nr uint32) [][]specs.LinuxSeccompArg {
	number, ok := resolve(name, a.arch)
	if !ok {
		return nil
	}
	if number < 0 {
		through, part, _ := family(number)
		if through == nr {
			// The call's own arguments are in memory, where no filter can look.
			return [][]specs.LinuxSeccompArg{{{Index: 0, Op: specs.OpEqualTo, Value: part}}}
		}
		own, _ := libseccomp.ScmpSyscall(nr).GetNameByArch(a.arch)
		ok = own == name
	} else {
		ok = uint32(number) == nr
	}
	if !ok {
		return nil
	}
	return alternativesOf(args)
}

// alternativesOf is the list of rules that args makes, each a list of
// conditions that must all hold. A rule has at most one condition for each
// argument. When args has two, all its conditions are alternatives, as in runc.
func alternativesOf(args []specs.LinuxSeccompArg) [][]specs.LinuxSeccompArg {
	var seen [maxArgs]bool
	repeated := false
	for _, arg := range args {
		repeated = repeated || seen[arg.Index]
		seen[arg.Index] = true
	}
	if !repeated {
		return [][]specs.LinuxSeccompArg{args}
	}
	each := make([][]specs.LinuxSeccompArg, len(args))
	for i := range args {
		each[i] = args[i : i+1]
	}
	return each
}

// unless marks jumps to the next rule; a rule has fewer instructions.
const unless = maxJump

// code returns r.ret, or runs into the end of itself unless all conditions hold.
func (r rule) code(args32 bool) []unix.SockFilter {
	var code []unix.SockFilter
	for _, c := range r.all {
		if args32 {
			code = append(code, compare32(c.Op, c.Index, uint32(c.Value), uint32(c.ValueTwo))...)
		} else {
			code = append(code, compare64(c)...)
		}
	}
	code = append(code, unix.SockFilter{Code: opReturn, K: r.ret})
	for i := range code {
		end := uint8(len(code) - i - 1)
		if code[i].Jt == unless {
			code[i].Jt = end
		}
		if code[i].Jf == unless {
			code[i].Jf = end
		}
	}
	return code
}

// lower and upper load half of an argument, which is an u64 in native byte
// order; hull's architectures are little-endian.
func lower(index uint) unix.SockFilter {
	return unix.SockFilter{Code: opLoad, K: uint32(dataArgs + 8*index)}
}

func upper(index uint) unix.SockFilter {
	return unix.SockFilter{Code: opLoad, K: uint32(dataArgs + 8*index + 4)}
}

// compare32 goes on with the next instruction if the lower half of the argument
// compares to value as wanted.
func compare32(op specs.LinuxSeccompOperator, index uint, value, two uint32) []unix.SockFilter {
	load := lower(index)
	switch op {
	case specs.OpEqualTo:
		return []unix.SockFilter{load, {Code: opJumpEq, K: value, Jf: unless}}
	case specs.OpNotEqual:
		return []unix.SockFilter{load, {Code: opJumpEq, K: value, Jt: unless}}
	case specs.OpGreaterThan:
		return []unix.SockFilter{load, {Code: opJumpGt, K: value, Jf: unless}}
	case specs.OpGreaterEqual:
		return []unix.SockFilter{load, {Code: opJumpGe, K: value, Jf: unless}}
	case specs.OpLessThan:
		return []unix.SockFilter{load, {Code: opJumpGe, K: value, Jt: unless}}
	case specs.OpLessEqual:
		return []unix.SockFilter{load, {Code: opJumpGt, K: value, Jt: unless}}
	default: // SCMP_CMP_MASKED_EQ: value is the mask
		return []unix.SockFilter{load, {Code: opAnd, K: value}, {Code: opJumpEq, K: value & two, Jf: unless}}
	}
}

// compare64 is compare32 for a whole argument. Where the upper halves decide,
// it skips the comparison of the lower ones.
func compare64(c specs.LinuxSeccompArg) []unix.SockFilter {
	high := uint32(c.Value >> 32)
	low := compare32(c.Op, c.Index, uint32(c.Value), uint32(c.ValueTwo))
	skip := uint8(len(low))
	load := upper(c.Index)
	var first []unix.SockFilter
	switch c.Op {
	case specs.OpEqualTo:
		first = []unix.SockFilter{load, {Code: opJumpEq, K: high, Jf: unless}}
	case specs.OpNotEqual:
		first = []unix.SockFilter{load, {Code: opJumpEq, K: high, Jf: skip}}
	case specs.OpGreaterThan, specs.OpGreaterEqual:
		first = []unix.SockFilter{load, {Code: opJumpGt, K: high, Jt: skip + 1}, {Code: opJumpEq, K: high, Jf: unless}}
	case specs.OpLessThan, specs.OpLessEqual:
		first = []unix.SockFilter{load, {Code: opJumpGt, K: high, Jt: unless}, {Code: opJumpEq, K: high, Jf: skip}}
	default:
		first = []unix.SockFilter{load, {Code: opAnd, K: high}, {Code: opJumpEq, K: high & uint32(c.ValueTwo>>32), Jf: unless}}
	}
	return append(first, low...)
}
