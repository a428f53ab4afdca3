package tests

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// network is a network namespace that is the host's for a box: there are the
// ends out0 and out1 of two pairs of devices, whose other ends are called far0 and far1.
type network struct {
	t   testing.TB
	pid string // a process that is in it
}

// networked is a box whose hull is in a network of its own.
func networked(t *testing.T, edits ...edit) (*box, *network) {
	t.Helper()
	b := newBox(t, edits...)
	n := newNetwork(b)
	b.wrapper = n.command()
	for _, i := range []string{"0", "1"} {
		n.ip("link", "add", "out"+i, "type", "veth", "peer", "name", "far"+i)
		n.ip("link", "set", "far"+i, "up")
	}
	return b, n
}

func newNetwork(b *box) *network {
	b.t.Helper()
	holder := exec.Command("sleep", "1000")
	holder.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	b.check(holder.Start())
	b.t.Cleanup(func() {
		b.wrapper = nil // what cleans up needs no network
		holder.Process.Kill()
		holder.Wait()
	})
	return &network{b.t, fmt.Sprint(holder.Process.Pid)}
}

func (n *network) command() []string { return []string{"nsenter", "--net=/proc/" + n.pid + "/ns/net"} }

// ip runs ip(8) in the network and returns what it prints.
func (n *network) ip(args ...string) string {
	n.t.Helper()
	line := append(append(n.command(), "ip"), args...)
	out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: %v: %s", strings.Join(line, " "), err, out)
	}
	return string(out)
}

// network is the network of a box's running container.
func (b *box) network() *network {
	b.t.Helper()
	return &network{b.t, fmt.Sprint(b.state().Pid)}
}

// names are the devices, without lo.
func (n *network) names() []string {
	n.t.Helper()
	var names []string
	for line := range strings.Lines(n.ip("-brief", "link")) {
		name, _, _ := strings.Cut(strings.Fields(line)[0], "@")
		if name != "lo" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// has asserts that what ip prints has these lines, whatever their spacing, and not the others.
func (n *network) has(args string, lines []string, not ...string) {
	n.t.Helper()
	out := strings.Join(strings.Fields(n.ip(strings.Fields(args)...)), " ")
	for _, want := range lines {
		if !strings.Contains(out, want) {
			n.t.Errorf("ip %s lacks %q: %s", args, want, out)
		}
	}
	for _, bad := range not {
		if strings.Contains(out, bad) {
			n.t.Errorf("ip %s has %q: %s", args, bad, out)
		}
	}
}

// netDevices moves devices, by their names on the host and in the container.
func netDevices(names map[string]string) edit {
	return func(s *specs.Spec) {
		s.Linux.NetDevices = map[string]specs.LinuxNetDevice{}
		for host, name := range maps.All(names) {
			s.Linux.NetDevices[host] = specs.LinuxNetDevice{Name: name}
		}
	}
}

// settle gives out0 addresses of all kinds and routes.
func (n *network) settle() {
	n.t.Helper()
	for _, line := range []string{
		"link set out0 mtu 1400", "link set out0 address 02:00:00:00:00:07", "link set out0 up",
		"addr add 10.9.0.2/24 brd + dev out0", "addr add 10.9.0.3/24 dev out0 label out0:x", "addr add 10.10.0.1 peer 10.10.0.2/32 dev out0",
		"addr add fd00:9::2/64 dev out0 nodad",
		"addr add 10.8.0.9/24 dev out0 valid_lft 1000 preferred_lft 1000", "addr add 169.254.7.7/16 dev out0 scope link",
		"route add default via 10.9.0.1", "route add 10.77.0.0/16 dev out0 metric 5 table 77", "route add 10.66.0.0/16 via 10.8.0.1",
		"-6 route add default via fd00:9::1 dev out0",
	} {
		n.ip(strings.Fields(line)...)
	}
}

func TestNetDeviceIsMovedWithAddressesAndRoutes(t *testing.T) {
	needRoot(t, "it makes namespaces outside a user namespace")
	for name, edits := range map[string][]edit{"root": nil, "user namespace": {userNamespace(200000)}} {
		t.Run(name, func(t *testing.T) {
			b, n := networked(t, append(edits, netDevices(map[string]string{"out0": "in0"}), runProbe("pause"))...)
			n.settle()
			// The address that a gateway was reached by is not permanent, and so not kept: hull says that the route is gone.
			r := b.hull("create", "--bundle", b.bundle, b.id)
			r.expect(b, 0, "linux.netDevices.out0 (in0): no route in the container to 10.66.0.0/16")
			in := b.network()
			in.has("link show in0", []string{"UP", "mtu 1400", "02:00:00:00:00:07"})
			in.has("addr show in0", []string{
				"inet 10.9.0.2/24 brd 10.9.0.255 scope global in0", "inet 10.9.0.3/24 scope global secondary in0:x",
				"inet 10.10.0.1 peer 10.10.0.2/32 scope global in0", "inet6 fd00:9::2/64 scope global nodad",
			}, "10.8.0.9", "169.254.7.7")
			in.has("route show table all", []string{"default via 10.9.0.1 dev in0", "10.77.0.0/16 dev in0 table 77 scope link metric 5"}, "10.66.0.0")
			in.has("-6 route", []string{"default via fd00:9::1 dev in0"})
			if got := n.names(); slices.Contains(got, "out0") || !slices.Contains(got, "out1") {
				t.Errorf("the host has %v", got)
			}
		})
	}
}

func TestNetDeviceKeepsItsNameOrGetsAFreeOne(t *testing.T) {
	needRoot(t, "it makes namespaces outside a user namespace")
	b, n := networked(t, netDevices(map[string]string{"out0": "", "out1": "c%d"}), runProbe("pause"))
	b.create()
	b.network().has("-brief link", []string{"out0@", "c0@"})
	if got, want := n.names(), []string{"far0", "far1"}; !slices.Equal(got, want) {
		t.Errorf("the host has %v, want %v", got, want)
	}
}

func TestNetDevicesCanExchangeTheirNames(t *testing.T) {
	needRoot(t, "it makes namespaces outside a user namespace")
	b, n := networked(t, netDevices(map[string]string{"out0": "out1", "out1": "out0"}), runProbe("pause"))
	n.ip("addr", "add", "10.9.0.2/24", "dev", "out0")
	b.create()
	b.network().has("addr show out1", []string{"inet 10.9.0.2/24"})
}

func TestProgramSeesNetDevicesInJoinedNamespace(t *testing.T) {
	needRoot(t, "it makes namespaces outside a user namespace")
	b, _ := networked(t)
	other := newNetwork(b)
	b.edit(namespace(specs.NetworkNamespace, "/proc/"+other.pid+"/ns/net"), netDevices(map[string]string{"out0": "in0"}))
	if dev := b.report("/proc/net/dev").Files["/proc/net/dev"]; !strings.Contains(dev, "in0:") {
		t.Errorf("/proc/net/dev: %s", dev)
	}
	other.has("-brief link", []string{"in0@"}) // a namespace that stays keeps what it was given
}

func TestNetDevicesComeBackWhenCreateFails(t *testing.T) {
	needRoot(t, "it makes namespaces outside a user namespace")
	for name, broken := range map[string]edit{
		"program": args("/no/such/program"),
		"hook":    hook("createRuntime", specs.Hook{Path: "/bin/false"}),
		"device":  netDevices(map[string]string{"out0": "in0", "out1": "in%d", "far1": "lo%d", "lo": "loop"}),
	} {
		t.Run(name, func(t *testing.T) {
			b, n := networked(t, netDevices(map[string]string{"out0": "in0", "out1": "in%d"}), broken)
			n.settle()
			before := n.names()
			b.run().expect(b, 1, "hull: ")
			if got := n.names(); !slices.Equal(got, before) {
				t.Errorf("the host has %v, had %v", got, before)
			}
			n.has("link show out0", []string{"UP", "mtu 1400"})
			n.has("link show out1", []string{"state DOWN"})
			n.has("addr show out0", []string{"10.9.0.2/24", "scope global secondary out0:x", "fd00:9::2/64"})
			n.has("route show table all", []string{"default via 10.9.0.1 dev out0", "10.77.0.0/16 dev out0 table 77"})
		})
	}
}

func TestRefusesNetDevicesThatCannotBeMoved(t *testing.T) {
	needRoot(t, "it makes namespaces outside a user namespace")
	b, n := networked(t)
	other := newNetwork(b)
	other.ip("link", "add", "taken", "type", "veth", "peer", "name", "peer")
	join := func(n *network) edit { return namespace(specs.NetworkNamespace, "/proc/"+n.pid+"/ns/net") }
	for want, edits := range map[string]edit{
		"hull: linux.netDevices.nosuch: the host has no network device of this name: no such device\n": netDevices(map[string]string{"nosuch": ""}),
		"hull: linux.netDevices.out0: the container has a network device taken already: file exists\n": all(join(other), netDevices(map[string]string{"out0": "taken"})),
		"hull: linux.netDevices: the container's network namespace is the host's: there is nowhere to move them to\n": all(
			join(n), netDevices(map[string]string{"out0": "in0"})),
	} {
		b.configure(defaultSpec(b.id), edits)
		if r := b.run(); r.code != 1 || r.stderr != want {
			t.Errorf("want %q: %s", want, r)
		}
	}
	b.configure(defaultSpec(b.id), netDevices(map[string]string{"lo": "loop"}))
	b.run().expect(b, 1, "linux.netDevices.lo: cannot be moved to the container: ", "invalid argument")
}
