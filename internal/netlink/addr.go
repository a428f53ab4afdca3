package netlink

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// addresses are those of the device that config-linux.md wants preserved: the
// permanent ones of global scope.
func (s *Socket) addresses(index uint32) ([]object, error) {
	list, err := s.list(unix.RTM_GETADDR, make([]byte, unix.SizeofIfAddrmsg))
	if err != nil {
		return nil, err
	}
	var found []object
	for _, m := range list {
		o := parseObject(m.Data, unix.SizeofIfAddrmsg)
		if binary.NativeEndian.Uint32(o.head[4:]) == index && o.head[3] == unix.RT_SCOPE_UNIVERSE && o.flags()&unix.IFA_F_PERMANENT != 0 {
			found = append(found, o)
		}
	}
	return found, nil
}

// flags are IFA_F_*: all are in an attribute, the first eight in the head too.
func (o *object) flags() uint32 {
	if a := o.attr(unix.IFA_FLAGS); a.value != nil {
		return a.number()
	}
	return uint32(o.head[2])
}

// address is the address with its prefix length.
func (o *object) address() string {
	a := o.attr(unix.IFA_LOCAL)
	if a.value == nil { // IPv6, without a peer
		a = o.attr(unix.IFA_ADDRESS)
	}
	ip, _ := netip.AddrFromSlice(a.value)
	return ip.String() + "/" + strconv.Itoa(int(o.head[1]))
}

// addAddress gives d the address o.
func (s *Socket) addAddress(d *Device, o *object) error {
	// What the others say is the kernel's to find out anew.
	const keep = unix.IFA_F_NODAD | unix.IFA_F_HOMEADDRESS | unix.IFA_F_MANAGETEMPADDR |
		unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_MCAUTOJOIN | unix.IFA_F_PERMANENT
	b := []byte{o.head[0], o.head[1], 0, o.head[3]}
	b = binary.NativeEndian.AppendUint32(b, d.index)
	for _, a := range o.attrs {
		switch a.bits() {
		case unix.IFA_ADDRESS, unix.IFA_LOCAL, unix.IFA_BROADCAST, unix.IFA_CACHEINFO, unix.IFA_RT_PRIORITY:
			b = appendAttr(b, a)
		case unix.IFA_LABEL: // the name, or name:word
			if rest, ok := strings.CutPrefix(a.text(), d.origin); ok && len(d.Name+rest) < unix.IFNAMSIZ {
				b = appendAttr(b, stringAttr(unix.IFA_LABEL, d.Name+rest))
			}
		}
	}
	b = appendAttr(b, numberAttr(unix.IFA_FLAGS, o.flags()&keep))
	_, err := s.request(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, b)
	return err
}
