// Package bpf loads, attaches and replaces eBPF programs of cgroups, bpf(2).
//
// It is written by hand, and small, because the well-kept library for it
// (cilium/ebpf) spends more time in its package initialisation than a whole
// program needs to be loaded, in every hull command, used or not.
package bpf

// Insn is one instruction, struct bpf_insn of linux/bpf.h, as it lies in
// memory on a little-endian machine (hull's two are).
type Insn struct {
	Code uint8
	Regs uint8 // destination, and the source times 16
	Off  int16 // jumps: how many instructions to skip
	Imm  int32
}

// The registers used here: R0 is what a program returns, R1 its context.
const (
	R0 = iota
	R1
	R2
	R3
	R4
	R5
)

// Opcodes by their parts, linux/bpf_common.h: class, operation, source.
const (
	classLoad, classALU, classJump = 0x01, 0x04, 0x05
	opAnd, opRsh, opMov            = 0x50, 0x70, 0xb0
	opJa, opJset, opJne, opExit    = 0x00, 0x40, 0x50, 0x90
	fromReg                        = 0x08
	sizeWord, modeMem              = 0x00, 0x60
)

// Load32 loads the 32-bit word at src+off into dst.
func Load32(dst, src uint8, off int16) Insn {
	return Insn{Code: classLoad | sizeWord | modeMem, Regs: dst | src<<4, Off: off}
}

// Mov copies the lower half of src to dst and clears dst's upper half.
func Mov(dst, src uint8) Insn { return Insn{Code: classALU | opMov | fromReg, Regs: dst | src<<4} }

// MovImm sets dst.
func MovImm(dst uint8, imm int32) Insn { return Insn{Code: classALU | opMov, Regs: dst, Imm: imm} }

// AndImm keeps those bits of the lower half of dst that imm has.
func AndImm(dst uint8, imm int32) Insn { return Insn{Code: classALU | opAnd, Regs: dst, Imm: imm} }

// RshImm shifts the lower half of dst to the right.
func RshImm(dst uint8, imm int32) Insn { return Insn{Code: classALU | opRsh, Regs: dst, Imm: imm} }

// JumpNot skips n instructions unless dst is imm.
func JumpNot(dst uint8, imm int32, n int16) Insn {
	return Insn{Code: classJump | opJne, Regs: dst, Imm: imm, Off: n}
}

// JumpSet skips n instructions if dst has a bit of imm.
func JumpSet(dst uint8, imm int32, n int16) Insn {
	return Insn{Code: classJump | opJset, Regs: dst, Imm: imm, Off: n}
}

// Jump skips n instructions.
func Jump(n int16) Insn { return Insn{Code: classJump | opJa, Off: n} }

// Exit ends the program with R0 as its result.
func Exit() Insn { return Insn{Code: classJump | opExit} }
