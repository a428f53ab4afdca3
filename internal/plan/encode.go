package plan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
)

// AnyErrno is tolerated as every errno.
const AnyErrno = syscall.Errno(0xffff)

func errnoOf(err error) int {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return int(e)
	}
	return 0
}

func (o *Op) tolerate(err error) {
	for i, e := range o.errnos {
		if e == 0 {
			o.errnos[i] = uint16(errnoOf(err)) //nolint:gosec // an errno
			return
		}
	}
	o.plan.fail(fmt.Errorf("%s: operation %q tolerates too many errnos", o.Field, o.Name))
}

// The header and an operation as the stage reads them; stage.h has the twins.
const (
	magic      = 0x6e616c70 // "plan"
	headerSize = 32
	opSize     = 80
)

// Encode returns the plan as the stage reads it: a header, the operations,
// the registers of the inherited files, and the data, in the machine's byte order.
func (p *Plan) Encode() ([]byte, error) {
	if p.err != nil {
		return nil, p.err
	}
	le := binary.NativeEndian
	regsAt := headerSize + opSize*len(p.ops)
	dataAt := (regsAt + 2*len(p.files) + 7) &^ 7
	out := make([]byte, dataAt+len(p.data))
	le.PutUint32(out[0:], magic)
	le.PutUint32(out[4:], uint32(len(p.ops)))   //nolint:gosec // small
	le.PutUint32(out[8:], uint32(len(p.files))) //nolint:gosec // small
	le.PutUint32(out[12:], uint32(regsAt))      //nolint:gosec // small
	le.PutUint32(out[16:], uint32(dataAt))      //nolint:gosec // small
	le.PutUint32(out[20:], uint32(len(out)))    //nolint:gosec // bounded by the configuration's size
	if p.Timed {
		out[24] = 1
	}
	for i, o := range p.ops {
		onErr, err := p.place(o.onErr, i)
		if err != nil {
			return nil, err
		}
		onOK, err := p.place(o.onOK, i)
		if err != nil {
			return nil, err
		}
		b := out[headerSize+opSize*i:]
		le.PutUint32(b[0:], o.kind)
		le.PutUint32(b[4:], onErr)
		le.PutUint32(b[8:], onOK)
		le.PutUint16(b[12:], uint16(o.dst)) //nolint:gosec // -1 is none
		for j := range 6 {
			le.PutUint16(b[14+2*j:], o.errnos[j])
			b[26+j] = byte(o.kinds[j])
			le.PutUint64(b[32+8*j:], o.args[j])
		}
	}
	for i, f := range p.files {
		le.PutUint16(out[regsAt+2*i:], uint16(f.Reg)) //nolint:gosec // bounded by maxRegs
	}
	copy(out[dataAt:], p.data)
	return out, nil
}

// place turns a label as used by operation i into an operation's number.
func (p *Plan) place(l Label, i int) (uint32, error) {
	if l == Next {
		return uint32(i + 1), nil //nolint:gosec // small
	}
	at := p.labels[l]
	if at < 0 {
		return 0, fmt.Errorf("%s: operation %d goes to a label that was never placed", p.ops[i].Field, i)
	}
	if at <= i {
		return 0, fmt.Errorf("%s: operation %d goes backwards", p.ops[i].Field, i)
	}
	return uint32(at), nil //nolint:gosec // small
}
