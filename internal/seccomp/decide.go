package seccomp

import (
	"fmt"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What libseccomp's program does is found out for every number, and then
// written anew (layout.go), for three reasons. Installing libseccomp's 1200
// instructions for Docker's profile costs every container 0.4 ms, our 480 take
// half of that. Syscalls newer than the profile are woven in. And
// rules with args are not always right in it (see addRules).

// interval is what happens to the numbers from first to the next interval.
type interval struct {
	first uint32
	code  []unix.SockFilter // ends in a return whatever happens
}

// intervals is what happens to the numbers from first to last of an ABI.
func intervals(a *abi, s *specs.LinuxSeccomp, first, last uint32) ([]interval, error) {
	program, err := compileFor(a, s)
	if err != nil {
		return nil, err
	}
	newer := newerThan(s, a)
	var list []interval
	for _, nr := range edges(program, newer, first, last) {
		var code []unix.SockFilter
		if slices.ContainsFunc(newer, func(s span) bool { return s.has(nr) }) {
			code = []unix.SockFilter{{Code: opReturn, K: retENOSYS}}
		} else if ret, decided := decide(program, a.audit, nr); decided {
			code = []unix.SockFilter{{Code: opReturn, K: ret}}
		} else if code = rulesCode(s, a, nr); code == nil {
			// Rather no container than one without its filter.
			return nil, fmt.Errorf("linux.seccomp (%s): libseccomp looks at the arguments of syscall %d, and no rule does", a.name, nr)
		}
		if n := len(list); n == 0 || !slices.Equal(list[n-1].code, code) {
			list = append(list, interval{nr, code})
		}
	}
	return list, nil
}

// edges are the numbers in a range at which the program may begin to do
// something else: those next to any that it compares something with.
func edges(code []unix.SockFilter, newer []span, first, last uint32) []uint32 {
	list := []uint32{first}
	add := func(nr uint32) {
		if first < nr && nr <= last {
			list = append(list, nr)
		}
	}
	for _, i := range code {
		if i.Code&7 == unix.BPF_JMP && i.Code != opJump {
			add(i.K)
			add(i.K + 1)
		}
	}
	for _, s := range newer {
		add(s.first)
		add(s.last + 1)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// decide runs libseccomp's program for a number. It gives up when that looks
// at an argument, and at anything else but comparisons of number and architecture.
func decide(code []unix.SockFilter, audit, nr uint32) (ret uint32, ok bool) {
	var a uint32
	for pc := 0; pc < len(code); pc++ {
		i := code[pc]
		var jump bool
		switch {
		case i.Code == opLoad && i.K == dataNr:
			a = nr
			continue
		case i.Code == opLoad && i.K == dataArch:
			a = audit
			continue
		case i.Code == opReturn:
			return i.K, true
		case i.Code == opJump:
			pc += int(i.K)
			continue
		case i.Code == opJumpEq:
			jump = a == i.K
		case i.Code == opJumpGe:
			jump = a >= i.K
		case i.Code == opJumpGt:
			jump = a > i.K
		default:
			return 0, false
		}
		if jump {
			pc += int(i.Jt)
		} else {
			pc += int(i.Jf)
		}
	}
	return 0, false
}
