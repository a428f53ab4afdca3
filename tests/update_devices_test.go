package tests

import (
	"encoding/json"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// update updates the limits by a file.
func (b *box) update(r specs.LinuxResources) *result {
	b.t.Helper()
	data, err := json.Marshal(r)
	b.check(err)
	return b.hull("update", "--resources", b.file("resources.json", string(data)), b.id)
}

// kmsg is a rule for the device 1:11, which no container has by default.
func kmsg(allow bool) []specs.LinuxDeviceCgroup {
	return []specs.LinuxDeviceCgroup{
		{Type: "a", Access: "rwm"}, {Allow: allow, Type: "c", Major: new(int64(1)), Minor: new(int64(11)), Access: "r"},
	}
}

// withKmsg makes a node of that device in a running container.
func (b *box) withKmsg() {
	b.t.Helper()
	b.must("exec", b.id, "/bin/probe", "mknod", "/tmp/kmsg", "c", "1", "11")
}

// wantKmsg opens it for reading.
func (b *box) wantKmsg(want string) {
	b.t.Helper()
	got := b.must("exec", b.id, "/bin/probe", "open", "/tmp/kmsg", "r").stdout
	if want := "open /tmp/kmsg r: " + want + "\n"; got != want {
		b.t.Errorf("got %q, want %q", got, want)
	}
}

func TestUpdateReplacesTheDeviceRules(t *testing.T) {
	needRoot(t, "only the kernel's own root makes devices")
	b := running(t, privileged, resources(func(r *specs.LinuxResources) { r.Devices = kmsg(false) }))
	b.withKmsg()
	b.wantKmsg("EPERM")
	b.update(specs.LinuxResources{Devices: kmsg(true)}).expect(b, 0)
	b.wantKmsg("ok")
	b.must("update", "--pids-limit", "50", b.id) // says nothing of devices
	b.wantKmsg("ok")
	b.update(specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Type: "c", Access: "x"}}}).expect(b, 1, "devices[0].access", `"x"`)
	b.wantKmsg("ok")
	b.update(specs.LinuxResources{Devices: kmsg(false)}).expect(b, 0)
	b.wantKmsg("EPERM")
}

func TestUpdateThatFailsChangesNothing(t *testing.T) {
	needRoot(t, "only the kernel's own root makes devices")
	b := running(t, privileged, resources(func(r *specs.LinuxResources) {
		r.Devices = kmsg(false)
		r.Pids = &specs.LinuxPids{Limit: new(int64(70))}
		r.CPU = &specs.LinuxCPU{Quota: new(int64(20000)), Period: new(uint64(50000))}
	}))
	b.withKmsg()
	b.update(specs.LinuxResources{
		Devices: kmsg(true),
		CPU:     &specs.LinuxCPU{Quota: new(int64(30000)), Period: new(uint64(60000)), Shares: new(uint64(300))},
		Pids:    &specs.LinuxPids{Limit: new(int64(80))},
		BlockIO: &specs.LinuxBlockIO{ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{
			{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 511, Minor: 9}, Rate: 1},
		}},
	}).expect(b, 1, "linux.resources.blockIO.throttleReadBpsDevice[0] (", "no such device")
	b.wantFile("pids.max", "70")
	b.wantFileOf("cpu.cfs_quota_us", "20000", "cpu.max", "20000 50000")
	b.wantFileOf("cpu.shares", "1024", "cpu.weight", "100")
	b.wantKmsg("EPERM")
	b.wantStatus("running")
}
