package libcontainer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"hull/internal/netlink"
	"hull/internal/plan"
	"hull/specconv"
)

// stepNetDevices lets the parent move linux.netDevices into the container's
// network namespace: it takes rights over the host's, too. config-linux.md, Network Devices.
func stepNetDevices(b *build) error {
	if b.spec.Linux == nil || len(b.spec.Linux.NetDevices) == 0 {
		return nil
	}
	b.At("linux.netDevices", "")
	b.Ask("move the network devices", nil, func(call *plan.Call) error {
		b.devices = &netDevices{}
		return b.devices.move(b, call.Pid)
	})
	return nil
}

// netDevices is what has been moved. Its sockets keep the container's network
// namespace, and so the devices, until create has succeeded or taken them back.
type netDevices struct {
	host, container *netlink.Socket
	moved           []movedDevice
	lost            []string // the routes that are not possible in the container
}

type movedDevice struct{ there, before *netlink.Device }

// move moves the devices, after it has made sure that none is in the way of another.
func (n *netDevices) move(b *build, pid int) (err error) {
	if n.host, err = netlink.Open("/proc/self/ns/net"); err != nil {
		return fmt.Errorf("linux.netDevices: %w", err)
	}
	if n.container, err = netlink.Open("/proc/" + strconv.Itoa(pid) + "/ns/net"); err != nil {
		return fmt.Errorf("linux.netDevices: %w", err)
	}
	if n.host.Same(n.container) {
		return errors.New("linux.netDevices: the container's network namespace is the host's: there is nowhere to move them to")
	}
	names := b.spec.Linux.NetDevices
	devices := map[string]*netlink.Device{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if devices[name], err = n.find(name, names[name].Name); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		to := names[name].Name
		if to == "" {
			to = name
		}
		there, lost, err := n.host.Move(devices[name], n.container, to, true)
		if there != nil {
			n.moved = append(n.moved, movedDevice{there, devices[name]})
		}
		if err != nil {
			return deviceError(name, "cannot be moved to the container", err)
		}
		for _, route := range lost {
			n.lost = append(n.lost, fmt.Sprintf("%s (%s): no route in the container to %s", specconv.NetDevicePath(name), there.Name, route))
		}
	}
	return nil
}

// find is the device of that name on the host, if the one that it is to get is free in the container.
func (n *netDevices) find(name, to string) (*netlink.Device, error) {
	if to == "" {
		to = name
	}
	d, err := n.host.Device(name)
	if err != nil {
		if errors.Is(err, unix.ENODEV) {
			return nil, fmt.Errorf("%s: the host has no network device of this name: %w", specconv.NetDevicePath(name), unix.ENODEV)
		}
		return nil, deviceError(name, "cannot be looked up", err)
	}
	if strings.Contains(to, "%d") { // a template: the kernel finds a free name
		return d, nil
	}
	switch taken, err := n.container.Exists(to); {
	case err != nil:
		return nil, deviceError(name, "cannot look for it in the container", err)
	case taken:
		return nil, deviceError(name, "the container has a network device "+to+" already", unix.EEXIST)
	}
	return d, nil
}

func deviceError(name, fact string, err error) error {
	return fmt.Errorf("%s: %s: %w", specconv.NetDevicePath(name), fact, err)
}

// undoNetDevices moves the devices back: they must not vanish with the network
// namespace of a container that never was.
func (c *Container) undoNetDevices(b *build) {
	n := b.devices
	if n == nil {
		return
	}
	for _, m := range slices.Backward(n.moved) {
		// Back to what it was called: neither its address labels nor anybody's firewall know another name.
		_, lost, err := n.container.Move(m.there, n.host, m.before.Name, m.before.Up)
		if err != nil {
			c.warn(deviceError(m.before.Name, "cannot be moved back to the host", err))
		}
		for _, route := range lost {
			c.warn(fmt.Errorf("%s: after the move back there is no route to %s", specconv.NetDevicePath(m.before.Name), route))
		}
	}
	n.close()
}

// keepNetDevices leaves the devices to the container.
func (c *Container) keepNetDevices(b *build) {
	if b.devices == nil {
		return
	}
	for _, text := range b.devices.lost {
		c.warn(errors.New(text))
	}
	b.devices.close()
}

func (n *netDevices) close() {
	for _, s := range []*netlink.Socket{n.host, n.container} {
		if s != nil {
			s.Close()
		}
	}
}
