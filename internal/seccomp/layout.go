package seccomp

import (
	"fmt"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The instructions that programs are written with. The kernel (5.11) runs a
// filter for every number when it is installed, to know those that are always
// allowed and skip it for them; it does so for these and no others.
const (
	opLoad   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	opAnd    = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	opJump   = unix.BPF_JMP | unix.BPF_JA
	opJumpEq = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	opJumpGe = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	opJumpGt = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	opReturn = unix.BPF_RET | unix.BPF_K
)

// Offsets in struct seccomp_data: seccomp(2).
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16
)

const (
	maxInsns = 4096 // BPF_MAXINSNS: linux/bpf_common.h
	maxJump  = 255  // of a conditional jump, counted from the next instruction
)

// build makes the program of a profile that Check has passed.
func build(s *specs.LinuxSeccomp) ([]byte, error) {
	body, err := dispatch(s, abisOf(s))
	if err != nil {
		return nil, err
	}
	code := append([]unix.SockFilter{{Code: opLoad, K: dataArch}}, body...)
	if len(code) > maxInsns {
		return nil, fmt.Errorf("linux.seccomp: the program has %d instructions, the kernel takes %d: use fewer rules or architectures", len(code), maxInsns)
	}
	return encode(code), nil
}

// dispatch is code that knows the architecture and decides about calls in some ABIs.
func dispatch(s *specs.LinuxSeccomp, archs []*abi) ([]unix.SockFilter, error) {
	if len(archs) == 0 {
		return []unix.SockFilter{{Code: opReturn, K: unix.SECCOMP_RET_KILL_THREAD}}, nil
	}
	var list []interval
	audit, first := archs[0].audit, uint32(0)
	for len(archs) > 0 && archs[0].audit == audit {
		a := archs[0]
		archs = archs[1:]
		last := ^uint32(0)
		if len(archs) > 0 && archs[0].audit == audit {
			last = archs[0].first - 1
		}
		of, err := intervals(a, s, first, last)
		if err != nil {
			return nil, err
		}
		list = append(list, of...)
		first = last + 1
	}
	others, err := dispatch(s, archs)
	if err != nil {
		return nil, err
	}
	number := append([]unix.SockFilter{{Code: opLoad, K: dataNr}}, tree(fold(list))...)
	return branch(opJumpEq, audit, number, others), nil
}

// tree is code that knows the number and finds its interval.
func tree(list []interval) []unix.SockFilter {
	if len(list) == 1 {
		return list[0].code
	}
	middle := len(list) / 2
	return branch(opJumpGe, list[middle].first, tree(list[middle:]), tree(list[:middle]))
}

// fold makes one interval of those that only single numbers interrupt, each of
// which is then looked for: two instructions where the tree would have four.
func fold(list []interval) []interval {
	const most = 4 // comparisons, before another level of the tree is shorter
	var folded []interval
	for i := 0; i < len(list); {
		around, n := list[i], 0
		code := around.code
		for ; n < most && i+2 < len(list); n++ {
			one, next := list[i+1], list[i+2]
			if next.first != one.first+1 || !slices.Equal(next.code, around.code) {
				break
			}
			code = branch(opJumpEq, one.first, one.code, code)
			i += 2
		}
		folded = append(folded, interval{around.first, code})
		i++
	}
	return folded
}

// branch is code that compares with k and goes on with either of two pieces of
// code, both of which return.
func branch(op uint16, k uint32, yes, no []unix.SockFilter) []unix.SockFilter {
	var code []unix.SockFilter
	if len(yes) <= maxJump {
		code = []unix.SockFilter{{Code: op, K: k, Jf: uint8(len(yes))}}
	} else {
		code = []unix.SockFilter{{Code: op, K: k, Jt: 1}, {Code: opJump, K: uint32(len(yes))}}
	}
	return append(append(code, yes...), no...)
}
