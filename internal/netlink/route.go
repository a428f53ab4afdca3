package netlink

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

const rtaNexthop = 30 // RTA_NH_ID, Linux 5.3

// The bytes of struct rtmsg.
const (
	rtmFamily = iota
	rtmDstLen
	_
	_
	_
	rtmProtocol
	_
	_
	rtmFlags // 32 bits
)

// routes are the routes through the device alone that somebody has set: the kernel's own follow from the addresses.
func (s *Socket) routes(index uint32) ([]object, error) {
	list, err := s.list(unix.RTM_GETROUTE, make([]byte, unix.SizeofRtMsg))
	if err != nil {
		return nil, err
	}
	var found []object
	for _, m := range list {
		o := parseObject(m.Data, unix.SizeofRtMsg)
		switch o.head[rtmProtocol] {
		case unix.RTPROT_KERNEL, unix.RTPROT_REDIRECT, unix.RTPROT_RA:
			continue
		}
		if o.attr(unix.RTA_OIF).number() == index {
			found = append(found, o)
		}
	}
	// A gateway is reached by a route that has none.
	slices.SortStableFunc(found, func(a, b object) int { return gateways(&a) - gateways(&b) })
	return found, nil
}

func gateways(o *object) int {
	if o.has(unix.RTA_GATEWAY) || o.has(unix.RTA_VIA) {
		return 1
	}
	return 0
}

// addRoutes gives d its routes and names those that are not possible, such as
// by way of a gateway that only an address was good for that has not been kept.
func (s *Socket) addRoutes(d *Device) (lost []string) {
	for i := range d.routes {
		o := &d.routes[i]
		head := slices.Clone(o.head)
		head[rtmFlags] &= unix.RTNH_F_ONLINK | unix.RTNH_F_PERVASIVE // the others are states
		clear(head[rtmFlags+1:])
		b := head
		for _, a := range o.attrs {
			switch a.bits() {
			case unix.RTA_OIF, unix.RTA_CACHEINFO, rtaNexthop: // the nexthop is an object of the old namespace; what it says is here too
			default:
				b = appendAttr(b, a)
			}
		}
		b = appendAttr(b, numberAttr(unix.RTA_OIF, d.index))
		_, err := s.request(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, b)
		if err != nil && !errors.Is(err, unix.EEXIST) {
			lost = append(lost, o.destination()+": "+err.Error())
		}
	}
	return lost
}

// destination is where the route leads to.
func (o *object) destination() string {
	ip, ok := netip.AddrFromSlice(o.attr(unix.RTA_DST).value)
	if !ok {
		return "default"
	}
	return ip.String() + "/" + strconv.Itoa(int(o.head[rtmDstLen]))
}
