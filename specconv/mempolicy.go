package specconv

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var memoryModes = [...]word{
	{string(specs.MpolDefault), unix.MPOL_DEFAULT},
	{string(specs.MpolPreferred), unix.MPOL_PREFERRED},
	{string(specs.MpolBind), unix.MPOL_BIND},
	{string(specs.MpolInterleave), unix.MPOL_INTERLEAVE},
	{string(specs.MpolLocal), unix.MPOL_LOCAL},
	{string(specs.MpolPreferredMany), unix.MPOL_PREFERRED_MANY},
	{string(specs.MpolWeightedInterleave), unix.MPOL_WEIGHTED_INTERLEAVE},
}

var memoryFlags = [...]word{
	{string(specs.MpolFNumaBalancing), unix.MPOL_F_NUMA_BALANCING},
	{string(specs.MpolFRelativeNodes), unix.MPOL_F_RELATIVE_NODES},
	{string(specs.MpolFStaticNodes), unix.MPOL_F_STATIC_NODES},
}

// MemoryPolicyModeNames lists the words for linux.memoryPolicy.mode.
func MemoryPolicyModeNames() []string { return names(memoryModes[:]) }

// MemoryPolicyFlagNames lists the words for linux.memoryPolicy.flags.
func MemoryPolicyFlagNames() []string { return names(memoryFlags[:]) }

// MemoryPolicy is what set_mempolicy(2) is to be called with: the mode with its flags, and the node mask.
func MemoryPolicy(p *specs.LinuxMemoryPolicy) (mode int, nodes []uint64, err error) {
	k := newChecker()
	mode, nodes = k.memoryPolicy(p)
	return mode, nodes, k.err()
}

// memoryPolicy is config-linux.md, Memory policy, with the rules of set_mempolicy(2).
func (k checker) memoryPolicy(p *specs.LinuxMemoryPolicy) (int, []uint64) {
	mode, known := number(memoryModes[:], string(p.Mode))
	if !known {
		k.bad("mode", p.Mode, "is not a memory policy").oneOf(MemoryPolicyModeNames())
	}
	var flags uint64
	for i, name := range p.Flags {
		flag, ok := number(memoryFlags[:], string(name))
		if !ok {
			k.bad(fmt.Sprintf("flags[%d]", i), name, "is not a flag of a memory policy").oneOf(MemoryPolicyFlagNames())
		}
		flags |= flag
	}
	before := len(k.problems)
	nodes := k.nodes("nodes", p.Nodes)
	if known && len(k.problems) == before {
		k.memoryNodes(p, len(nodes) > 0)
		k.memoryFlags(p, flags, len(nodes) > 0)
	}
	return int(mode | flags), nodes //nolint:gosec // at most 16 bits
}

// memoryNodes checks whether the mode has nodes where it needs them, and none where it cannot use them.
// MPOL_PREFERRED goes both ways.
func (k checker) memoryNodes(p *specs.LinuxMemoryPolicy, some bool) {
	switch p.Mode {
	case specs.MpolPreferred:
	case specs.MpolDefault, specs.MpolLocal:
		if some {
			k.bad("nodes", p.Nodes, "must be empty with %s", p.Mode)
		}
	default:
		if !some {
			k.bad("nodes", nil, "must name a node with %s", p.Mode)
		}
	}
}

// memoryFlags checks the flags against each other, the mode and the nodes.
func (k checker) memoryFlags(p *specs.LinuxMemoryPolicy, flags uint64, some bool) {
	const relation = unix.MPOL_F_STATIC_NODES | unix.MPOL_F_RELATIVE_NODES
	if flags&relation == relation {
		k.bad("flags", nil, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")
	}
	if flags&relation != 0 && !some && p.Mode != specs.MpolDefault {
		switch p.Mode {
		case specs.MpolPreferred, specs.MpolLocal:
			k.bad("flags", nil, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES need nodes")
		}
	}
	if flags&unix.MPOL_F_NUMA_BALANCING != 0 && p.Mode != specs.MpolBind && p.Mode != specs.MpolPreferredMany {
		k.bad("flags", nil, "MPOL_F_NUMA_BALANCING goes only with MPOL_BIND and MPOL_PREFERRED_MANY")
	}
}
