package dbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const busName = "org.freedesktop.DBus"

// Call is a call of a method. The signature tells the types of the arguments.
type Call struct {
	Destination, Path, Interface, Member string
	Signature                            string
	Args                                 []any
}

// Error is the error that a method has returned.
type Error struct{ Name, Message string }

func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Name) }

// Message is a message that has arrived.
type Message struct {
	Path, Interface, Member string

	kind      byte
	replyTo   uint32
	errorName string
	signature string
	body      []byte
}

// Kinds of messages, and fields of their headers.
const (
	kindCall, kindReturn, kindError, kindSignal = 1, 2, 3, 4

	fieldPath, fieldInterface, fieldMember, fieldErrorName    = 1, 2, 3, 4
	fieldReplySerial, fieldDestination, _, fieldBodySignature = 5, 6, 7, 8
)

// Args are the values in the message.
func (m Message) Args() ([]any, error) {
	d := decoder{buf: m.body}
	args, err := d.values(m.signature)
	if err != nil {
		return nil, fmt.Errorf("D-Bus: a message of type %q cannot be read: %w", m.signature, err)
	}
	return args, nil
}

// text is the text of an error message.
func (m Message) text() string {
	args, _ := m.Args()
	if len(args) > 0 {
		if text, ok := args[0].(string); ok {
			return text
		}
	}
	return "no text"
}

// send sends a call.
func (c *Conn) send(call Call, noReply bool) error {
	var body encoder
	if err := body.values(call.Signature, call.Args); err != nil {
		return err
	}
	c.serial++
	var flags byte
	if noReply {
		flags = 1
	}
	fields := []any{
		[]any{byte(fieldPath), Variant{"o", call.Path}},
		[]any{byte(fieldInterface), Variant{"s", call.Interface}},
		[]any{byte(fieldMember), Variant{"s", call.Member}},
	}
	if c.bus {
		fields = append(fields, []any{byte(fieldDestination), Variant{"s", call.Destination}})
	}
	if call.Signature != "" {
		fields = append(fields, []any{byte(fieldBodySignature), Variant{"g", call.Signature}})
	}
	var e encoder
	err := e.values("yyyyuua(yv)", []any{byte('l'), byte(kindCall), flags, byte(1), uint32(len(body.buf)), c.serial, fields}) //nolint:gosec // bounded by the bus
	if err != nil {
		return err
	}
	e.align(8)
	return c.write(append(e.buf, body.buf...))
}

// receive waits for the next message.
func (c *Conn) receive() (Message, error) {
	for {
		n, err := messageSize(c.in)
		if err != nil {
			return Message{}, err
		}
		if n > 0 && len(c.in) >= n {
			m, err := parse(c.in[:n])
			c.in = slices.Clone(c.in[n:])
			return m, err
		}
		if err := c.read(); err != nil {
			return Message{}, err
		}
	}
}

// headSize is how much of a message tells its size: the fixed part of the
// header and the length of the fields.
const headSize = 16

// messageSize is how long the message is that b begins with, 0 while that is not known.
func messageSize(b []byte) (int, error) {
	if len(b) < headSize {
		return 0, nil
	}
	if b[0] != 'l' || b[3] != 1 {
		return 0, errors.New("a message is not little-endian, or of another version")
	}
	body, fields := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[12:])
	if body > maxMessage || fields > maxMessage {
		return 0, fmt.Errorf("a message is longer than %d bytes", maxMessage)
	}
	return headSize + (int(fields)+7)/8*8 + int(body), nil
}

// parse reads a whole message.
func parse(b []byte) (Message, error) {
	d := decoder{buf: b}
	head, err := d.values("yyyyuua(yv)")
	if err != nil {
		return Message{}, fmt.Errorf("a header cannot be read: %w", err)
	}
	m := Message{kind: b[1]}
	fields, _ := head[6].([]any)
	for _, field := range fields {
		pair, _ := field.([]any)
		v, _ := pair[1].(Variant)
		text, _ := v.Value.(string)
		switch pair[0] {
		case byte(fieldPath):
			m.Path = text
		case byte(fieldInterface):
			m.Interface = text
		case byte(fieldMember):
			m.Member = text
		case byte(fieldErrorName):
			m.errorName = text
		case byte(fieldBodySignature):
			m.signature = text
		case byte(fieldReplySerial):
			m.replyTo, _ = v.Value.(uint32)
		}
	}
	d.align(8)
	m.body = b[min(d.pos, len(b)):]
	return m, nil
}
