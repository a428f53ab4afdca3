package netlink

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// attr is one attribute of a message: struct nlattr and its payload.
type attr struct {
	kind  uint16
	value []byte
}

// parseAttrs reads attributes to the end of b, or to the first that makes no sense.
func parseAttrs(b []byte) []attr {
	var list []attr
	for len(b) >= unix.SizeofNlAttr {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofNlAttr || size > len(b) {
			break
		}
		list = append(list, attr{binary.NativeEndian.Uint16(b[2:]), b[unix.SizeofNlAttr:size]})
		b = b[min((size+3)&^3, len(b)):]
	}
	return list
}

// appendAttr adds an attribute to a message.
func appendAttr(b []byte, a attr) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofNlAttr+len(a.value))) //nolint:gosec // small
	b = binary.NativeEndian.AppendUint16(b, a.kind)
	b = append(b, a.value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func stringAttr(kind uint16, s string) attr { return attr{kind, append([]byte(s), 0)} } //nolint:unparam // IFA_LABEL and IFLA_IFNAME are one number by chance

func numberAttr(kind uint16, n uint32) attr {
	return attr{kind, binary.NativeEndian.AppendUint32(nil, n)}
}

// number is the value of a 32-bit attribute, 0 if it is something else.
func (a attr) number() uint32 {
	if len(a.value) != 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(a.value)
}

// text is the value of a string attribute.
func (a attr) text() string {
	for i, c := range a.value {
		if c == 0 {
			return string(a.value[:i])
		}
	}
	return string(a.value)
}

// bits is the kind without its flags, NLA_F_NESTED and NLA_F_NET_BYTEORDER.
func (a attr) bits() uint16 { return a.kind &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER) }

// object is an address or a route as the kernel tells it, and takes it.
type object struct {
	head  []byte // struct ifaddrmsg, struct rtmsg
	attrs []attr
}

func parseObject(b []byte, headSize int) object {
	if len(b) < headSize {
		return object{head: make([]byte, headSize)}
	}
	return object{b[:headSize], parseAttrs(b[headSize:])}
}

// attr is the attribute of a kind, with no value if there is none.
func (o *object) attr(kind uint16) attr {
	for _, a := range o.attrs {
		if a.bits() == kind {
			return a
		}
	}
	return attr{kind: kind}
}

func (o *object) has(kind uint16) bool { return o.attr(kind).value != nil }
