package cgroups

import (
	"testing"

	"hull/internal/bpf"

	"golang.org/x/sys/unix"
)

// access is one access to one device.
type access struct {
	kind         byte
	major, minor int64
	bits         uint8
}

// allows is the definition: the last rule that matches decides, bit by bit.
func allows(rules []deviceRule, a access) bool {
	for bit := uint8(1); bit <= accessWrite; bit <<= 1 {
		allowed := a.bits&bit == 0
		for _, r := range rules {
			if (r.kind == 'a' || r.kind == a.kind) && (r.major < 0 || r.major == a.major) &&
				(r.minor < 0 || r.minor == a.minor) && r.access&a.bits&bit != 0 {
				allowed = r.allow
			}
		}
		if !allowed {
			return false
		}
	}
	return true
}

// kernelAllows is what the kernel does with a v1 list, security/device_cgroup.c.
func (s deviceSet) kernelAllows(a access) bool {
	for _, e := range s.exceptions {
		if !e.covers(exception{kind: a.kind, major: a.major, minor: a.minor}) {
			continue
		}
		if s.allowAll && e.access&a.bits != 0 {
			return false
		}
		if !s.allowAll && a.bits&^e.access == 0 {
			return true
		}
	}
	return s.allowAll
}

// interpret runs the instructions that deviceCode uses.
func interpret(t *testing.T, code []bpf.Insn, a access) bool {
	t.Helper()
	kind := uint64(unix.BPF_DEVCG_DEV_CHAR)
	if a.kind == 'b' {
		kind = unix.BPF_DEVCG_DEV_BLOCK
	}
	context := map[int16]uint64{0: uint64(a.bits)<<16 | kind, 4: uint64(a.major), 8: uint64(a.minor)}
	var r [16]uint64
	for pc := 0; pc < len(code); pc++ {
		in := code[pc]
		dst, src, imm := in.Regs&15, in.Regs>>4, uint64(in.Imm)
		jump := false
		switch in.Code {
		case bpf.Load32(0, 0, 0).Code:
			r[dst] = context[in.Off]
		case bpf.Mov(0, 0).Code:
			r[dst] = uint64(uint32(r[src]))
		case bpf.MovImm(0, 0).Code:
			r[dst] = uint64(uint32(imm))
		case bpf.AndImm(0, 0).Code:
			r[dst] = uint64(uint32(r[dst] & imm))
		case bpf.RshImm(0, 0).Code:
			r[dst] = uint64(uint32(r[dst]) >> imm)
		case bpf.Jump(0).Code:
			jump = true
		case bpf.JumpNot(0, 0, 0).Code:
			jump = r[dst] != imm
		case bpf.JumpSet(0, 0, 0).Code:
			jump = r[dst]&imm != 0
		case bpf.Exit().Code:
			return r[0] != 0
		default:
			t.Fatalf("unknown opcode %#x", in.Code)
		}
		if jump {
			pc += int(in.Off)
		}
	}
	t.Fatal("the program ran past its end")
	return false
}
