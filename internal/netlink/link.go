package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Device is a network device with what a move would take from it: its addresses, its routes, and that it was up.
type Device struct {
	Name string
	Up   bool

	index  uint32
	origin string // its name when the addresses were read, which their labels repeat
	addrs  []object
	routes []object
}

// Exists says whether there is a device of that name.
func (s *Socket) Exists(name string) (bool, error) {
	_, _, err := s.link(name)
	if errors.Is(err, unix.ENODEV) {
		return false, nil
	}
	return err == nil, err
}

// Device is the device of that name, with its addresses and routes.
func (s *Socket) Device(name string) (d *Device, err error) {
	d = &Device{Name: name, origin: name}
	var flags uint32
	if d.index, flags, err = s.link(name); err != nil {
		return nil, err
	}
	d.Up = flags&unix.IFF_UP != 0
	if d.addrs, err = s.addresses(d.index); err != nil {
		return nil, fmt.Errorf("list its addresses: %w", err)
	}
	if d.routes, err = s.routes(d.index); err != nil {
		return nil, fmt.Errorf("list its routes: %w", err)
	}
	return d, nil
}

// link is the index and the flags of the device of that name.
func (s *Socket) link(name string) (index, flags uint32, err error) {
	list, err := s.request(unix.RTM_GETLINK, 0, appendAttr(linkHead(0, 0, 0), stringAttr(unix.IFLA_IFNAME, name)))
	if err != nil {
		return 0, 0, err
	}
	if len(list) == 0 || len(list[0].Data) < unix.SizeofIfInfomsg {
		return 0, 0, unix.ENODEV
	}
	return binary.NativeEndian.Uint32(list[0].Data[4:]), binary.NativeEndian.Uint32(list[0].Data[8:]), nil
}

// linkHead is a struct ifinfomsg.
func linkHead(index, flags, change uint32) []byte {
	b := make([]byte, 4, unix.SizeofIfInfomsg) // any family and type
	b = binary.NativeEndian.AppendUint32(b, index)
	b = binary.NativeEndian.AppendUint32(b, flags)
	return binary.NativeEndian.AppendUint32(b, change)
}

// Move takes d from the namespace of s to that of to, where it is called name,
// in which %d stands for a number that makes it unique. There it gets its
// addresses back, is set up if up says so, and gets those of its routes that are possible
// there; the others are in lost.
//
// Once the device has moved, what is returned is the device as it is there, with an
// error or without.
func (s *Socket) Move(d *Device, to *Socket, name string, up bool) (moved *Device, lost []string, err error) {
	// Under a name of its own until we know its index there, which may be a new one; so
	// neither its old name nor the new one can be in the way of the move itself.
	passing := fmt.Sprintf("hull%d", os.Getpid())
	b := appendAttr(linkHead(d.index, 0, 0), numberAttr(unix.IFLA_NET_NS_FD, uint32(to.ns.Fd()))) //nolint:gosec // a descriptor
	_, err = s.request(unix.RTM_SETLINK, 0, appendAttr(b, stringAttr(unix.IFLA_IFNAME, passing)))
	if err != nil {
		return nil, nil, err
	}
	there := *d
	there.Name = passing
	if there.index, _, err = to.link(passing); err != nil {
		return nil, nil, fmt.Errorf("find it after the move: %w", err)
	}
	if err := to.rename(&there, name); err != nil {
		return &there, nil, fmt.Errorf("rename it to %s: %w", name, err)
	}
	for i := range there.addrs {
		if err := to.addAddress(&there, &there.addrs[i]); err != nil {
			return &there, nil, fmt.Errorf("add its address %s: %w", there.addrs[i].address(), err)
		}
	}
	if !up {
		return &there, nil, nil
	}
	if _, err := to.request(unix.RTM_SETLINK, 0, linkHead(there.index, unix.IFF_UP, unix.IFF_UP)); err != nil {
		return &there, nil, fmt.Errorf("set it up: %w", err)
	}
	return &there, to.addRoutes(&there), nil
}

// rename gives d the name, and notes the one that a template has become.
func (s *Socket) rename(d *Device, name string) error {
	if _, err := s.request(unix.RTM_SETLINK, 0, appendAttr(linkHead(d.index, 0, 0), stringAttr(unix.IFLA_IFNAME, name))); err != nil {
		return err
	}
	list, err := s.request(unix.RTM_GETLINK, 0, linkHead(d.index, 0, 0))
	if err != nil {
		return err
	}
	for _, m := range list {
		o := parseObject(m.Data, unix.SizeofIfInfomsg)
		d.Name = o.attr(unix.IFLA_IFNAME).text()
	}
	return nil
}
