package seccomp

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// data is struct seccomp_data: seccomp(2).
type data struct {
	nr   uint32
	arch uint32
	ip   uint64
	args [maxArgs]uint64
}

func (d *data) bytes() []byte {
	b := make([]byte, 0, 64)
	b = binary.NativeEndian.AppendUint32(b, d.nr)
	b = binary.NativeEndian.AppendUint32(b, d.arch)
	b = binary.NativeEndian.AppendUint64(b, d.ip)
	for _, a := range d.args {
		b = binary.NativeEndian.AppendUint64(b, a)
	}
	return b
}

// interpret runs a filter as the kernel would and returns what it returns. It
// knows the instructions that filters of libseccomp and of this package have.
func interpret(code []unix.SockFilter, d data) (uint32, error) {
	input := d.bytes()
	var a, x uint32
	var m [16]uint32 // BPF_MEMWORDS
	for pc := 0; pc < len(code); pc++ {
		i := code[pc]
		var jump bool
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			if i.K%4 != 0 || int(i.K) >= len(input) {
				return 0, fmt.Errorf("instruction %d loads from %d", pc, i.K)
			}
			a = binary.NativeEndian.Uint32(input[i.K:])
			continue
		case unix.BPF_LD | unix.BPF_MEM:
			a = m[i.K]
			continue
		case unix.BPF_ST:
			m[i.K] = a
			continue
		case unix.BPF_MISC | unix.BPF_TAX:
			x = a
			continue
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= i.K
			continue
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_X:
			a &= x
			continue
		case unix.BPF_RET | unix.BPF_K:
			return i.K, nil
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(i.K)
			continue
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			jump = a == i.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			jump = a >= i.K
		case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			jump = a > i.K
		default:
			return 0, fmt.Errorf("instruction %d has the code %#x", pc, i.Code)
		}
		if jump {
			pc += int(i.Jt)
		} else {
			pc += int(i.Jf)
		}
	}
	return 0, fmt.Errorf("ran off the end")
}
