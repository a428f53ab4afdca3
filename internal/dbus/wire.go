package dbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Variant is a value that brings its type along, as D-Bus's type v.
type Variant struct {
	Signature string
	Value     any
}

// The Go types of D-Bus values: byte (y), bool (b), int16 (n), uint16 (q),
// int32 (i), uint32 (u), int64 (x), uint64 (t), float64 (d), string (s, o, g),
// Variant (v), and []any for arrays and structures. Nothing in hull needs dictionaries.

// errShort says that a message ends too early.
var errShort = errors.New("the message is too short")

// next splits the first complete type off a signature.
func next(sig string) (first, rest string, err error) {
	if sig == "" {
		return "", "", errors.New("the signature is too short")
	}
	switch sig[0] {
	case 'a':
		element, rest, err := next(sig[1:])
		return "a" + element, rest, err
	case '(':
		inner := sig[1:]
		for inner != "" && inner[0] != ')' {
			if _, inner, err = next(inner); err != nil {
				return "", "", err
			}
		}
		if inner == "" || inner == sig[1:] {
			return "", "", errors.New("a structure in the signature is empty or has no end")
		}
		end := len(sig) - len(inner) + 1
		return sig[:end], sig[end:], nil
	default:
		if size(sig[0]) == 0 {
			return "", "", fmt.Errorf("type %q in the signature is unknown", sig[0])
		}
		return sig[:1], sig[1:], nil
	}
}

// size is how a type is aligned, and for numbers how large it is.
func size(kind byte) int {
	switch kind {
	case 'y', 'g', 'v':
		return 1
	case 'n', 'q':
		return 2
	case 'b', 'i', 'u', 's', 'o', 'a':
		return 4
	case 'x', 't', 'd', '(':
		return 8
	}
	return 0
}

// encoder writes values one after the other; alignment counts from its start.
type encoder struct{ buf []byte }

func (e *encoder) align(n int) {
	for len(e.buf)%n != 0 {
		e.buf = append(e.buf, 0)
	}
}

// values writes args as the signature says.
func (e *encoder) values(sig string, args []any) error {
	for _, arg := range args {
		first, rest, err := next(sig)
		if err != nil {
			return err
		}
		if err := e.value(first, arg); err != nil {
			return err
		}
		sig = rest
	}
	if sig != "" {
		return fmt.Errorf("a value of type %s is missing", sig)
	}
	return nil
}

func (e *encoder) value(sig string, v any) error {
	e.align(size(sig[0]))
	order := binary.LittleEndian
	var ok bool
	switch sig[0] {
	case 'y':
		var n byte
		n, ok = v.(byte)
		e.buf = append(e.buf, n)
	case 'b':
		var b bool
		b, ok = v.(bool)
		e.buf = append(e.buf, 0, 0, 0, 0)
		if b {
			e.buf[len(e.buf)-4] = 1
		}
	case 'n':
		var n int16
		n, ok = v.(int16)
		e.buf = order.AppendUint16(e.buf, uint16(n)) //nolint:gosec // two's complement
	case 'q':
		var n uint16
		n, ok = v.(uint16)
		e.buf = order.AppendUint16(e.buf, n)
	case 'i':
		var n int32
		n, ok = v.(int32)
		e.buf = order.AppendUint32(e.buf, uint32(n)) //nolint:gosec // two's complement
	case 'u':
		var n uint32
		n, ok = v.(uint32)
		e.buf = order.AppendUint32(e.buf, n)
	case 'x':
		var n int64
		n, ok = v.(int64)
		e.buf = order.AppendUint64(e.buf, uint64(n)) //nolint:gosec // two's complement
	case 't':
		var n uint64
		n, ok = v.(uint64)
		e.buf = order.AppendUint64(e.buf, n)
	case 'd':
		var n float64
		n, ok = v.(float64)
		e.buf = order.AppendUint64(e.buf, math.Float64bits(n))
	default:
		return e.container(sig, v)
	}
	if !ok {
		return fmt.Errorf("a %T cannot be of type %s", v, sig)
	}
	return nil
}

// container writes what has parts.
func (e *encoder) container(sig string, v any) error {
	switch v := v.(type) {
	case string:
		if sig == "g" && len(v) > 255 {
			return errors.New("a signature is longer than 255 letters")
		} else if sig == "g" {
			e.buf = append(e.buf, byte(len(v))) //nolint:gosec // just compared
		} else if sig != "s" && sig != "o" {
			break
		} else {
			e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(len(v))) //nolint:gosec // bounded by the bus
		}
		e.buf = append(append(e.buf, v...), 0)
		return nil
	case Variant:
		if sig != "v" {
			break
		}
		if err := e.value("g", v.Signature); err != nil {
			return err
		}
		return e.values(v.Signature, []any{v.Value})
	case []any:
		if sig[0] == '(' {
			return e.values(sig[1:len(sig)-1], v)
		} else if sig[0] != 'a' {
			break
		}
		at := len(e.buf)
		e.buf = append(e.buf, 0, 0, 0, 0)
		e.align(size(sig[1])) // not counted
		start := len(e.buf)
		for _, element := range v {
			if err := e.value(sig[1:], element); err != nil {
				return err
			}
		}
		binary.LittleEndian.PutUint32(e.buf[at:], uint32(len(e.buf)-start)) //nolint:gosec // bounded by the bus
		return nil
	}
	return fmt.Errorf("a %T cannot be of type %s", v, sig)
}
