package dbus

import (
	"encoding/binary"
	"fmt"
	"math"
)

// decoder reads what others have encoded: nothing in it is trusted.
type decoder struct {
	buf   []byte
	pos   int
	depth int
}

// maxDepth is how deep D-Bus lets containers nest.
const maxDepth = 64

func (d *decoder) align(n int) { d.pos = (d.pos + n - 1) / n * n }

// take returns the next n bytes.
func (d *decoder) take(n int) ([]byte, error) {
	if n < 0 || d.pos > len(d.buf) || n > len(d.buf)-d.pos {
		return nil, errShort
	}
	b := d.buf[d.pos : d.pos+n]
	d.pos += n
	return b, nil
}

func (d *decoder) uint32() (uint32, error) {
	d.align(4)
	b, err := d.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

// values reads as many values as the signature has types.
func (d *decoder) values(sig string) ([]any, error) {
	var list []any
	for sig != "" {
		first, rest, err := next(sig)
		if err != nil {
			return nil, err
		}
		v, err := d.value(first)
		if err != nil {
			return nil, err
		}
		list, sig = append(list, v), rest
	}
	return list, nil
}

func (d *decoder) value(sig string) (any, error) {
	d.align(size(sig[0]))
	switch sig[0] {
	case 's', 'o', 'g':
		return d.string(sig[0])
	case 'v', 'a', '(':
		if d.depth++; d.depth > maxDepth {
			return nil, fmt.Errorf("containers nest more than %d deep", maxDepth)
		}
		defer func() { d.depth-- }()
		return d.container(sig)
	}
	b, err := d.take(size(sig[0]))
	if err != nil {
		return nil, err
	}
	order := binary.LittleEndian
	switch sig[0] {
	case 'y':
		return b[0], nil
	case 'b':
		return order.Uint32(b) != 0, nil
	case 'n':
		return int16(order.Uint16(b)), nil //nolint:gosec // two's complement
	case 'q':
		return order.Uint16(b), nil
	case 'i':
		return int32(order.Uint32(b)), nil //nolint:gosec // two's complement
	case 'u':
		return order.Uint32(b), nil
	case 'x':
		return int64(order.Uint64(b)), nil //nolint:gosec // two's complement
	case 't':
		return order.Uint64(b), nil
	default: // 'd', the last that size knows
		return math.Float64frombits(order.Uint64(b)), nil
	}
}

func (d *decoder) string(kind byte) (string, error) {
	var n int
	if kind == 'g' {
		b, err := d.take(1)
		if err != nil {
			return "", err
		}
		n = int(b[0])
	} else {
		long, err := d.uint32()
		if err != nil || long > math.MaxInt32 {
			return "", errShort
		}
		n = int(long)
	}
	b, err := d.take(n + 1)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

func (d *decoder) container(sig string) (any, error) {
	switch sig[0] {
	case 'v':
		inner, err := d.string('g')
		if err != nil {
			return nil, err
		}
		first, rest, err := next(inner)
		if err != nil || rest != "" {
			return nil, fmt.Errorf("a variant has the signature %q", inner)
		}
		v, err := d.value(first)
		return Variant{first, v}, err
	case '(':
		return d.values(sig[1 : len(sig)-1])
	}
	n, err := d.uint32()
	if err != nil {
		return nil, err
	}
	d.align(size(sig[1]))
	end := d.pos + int(n)
	if d.pos > len(d.buf) || int(n) > len(d.buf)-d.pos {
		return nil, errShort
	}
	list := []any{}
	for d.pos < end {
		v, err := d.value(sig[1:])
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}
