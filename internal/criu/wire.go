package criu

import (
	"encoding/binary"
	"errors"
)

// CRIU's messages are Protocol Buffers, of which hull needs integers, strings
// and messages in messages: https://protobuf.dev/programming-guides/encoding.
// The library for them would add 2 MB, and its package init to every command.

// The wire types that occur.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// message is an encoded message in the making.
type message []byte

func (m *message) tag(field, kind int) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|uint64(kind)) //nolint:gosec // small
}

func (m *message) number(field int, v uint64) {
	m.tag(field, wireVarint)
	*m = binary.AppendUvarint(*m, v)
}

// int32 is a number whose negative values have the 64-bit two's complement.
func (m *message) int32(field, v int) { m.number(field, uint64(int64(v))) } //nolint:gosec // two's complement

// flag is a boolean; false is the default of all that hull sends.
func (m *message) flag(field int, v bool) {
	if v {
		m.number(field, 1)
	}
}

// string is a string; empty ones are left out.
func (m *message) string(field int, v string) {
	if v != "" {
		m.bytes(field, []byte(v))
	}
}

func (m *message) bytes(field int, v []byte) {
	m.tag(field, wireBytes)
	*m = binary.AppendUvarint(*m, uint64(len(v)))
	*m = append(*m, v...)
}

// pair is a message of a string and another string or number.
func (m *message) pair(field int, key, value string) {
	var p message
	p.bytes(1, []byte(key))
	p.bytes(2, []byte(value))
	m.bytes(field, p)
}

var errWire = errors.New("criu's answer cannot be read")

// decode calls fn with each field of b: with the number of a varint, or the bytes of
// a string or message. Other kinds are passed over.
func decode(b []byte, fn func(field int, number uint64, bytes []byte) error) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return errWire
		}
		b = b[n:]
		var number uint64
		var data []byte
		var size int
		switch tag & 7 {
		case wireVarint:
			if number, size = binary.Uvarint(b); size <= 0 {
				return errWire
			}
		case wire64:
			size = 8
		case wire32:
			size = 4
		case wireBytes:
			length, n := binary.Uvarint(b)
			if n <= 0 || length > uint64(len(b)-n) { //nolint:gosec // n is not more
				return errWire
			}
			size = n + int(length) //nolint:gosec // not more than len(b)
			data = b[n:size]
		default:
			return errWire
		}
		if size > len(b) {
			return errWire
		}
		b = b[size:]
		if kind := tag & 7; kind == wireVarint || kind == wireBytes {
			if err := fn(int(tag>>3), number, data); err != nil {
				return err
			}
		}
	}
	return nil
}
