package cgroups

import (
	"errors"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestOldValuesAreWhatHasToBeWritten(t *testing.T) {
	for _, c := range []struct{ file, value, text, want string }{
		{"memory.max", "100", "max\n", "max"},
		{"cpu.max", "1 2", "max 100000\n", "max 100000"},
		{"cpuset.cpus", "0", "\n", "\n"},
		{"memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\n", "0"},
		{"blkio.throttle.read_bps_device", "8:0 5", "8:16 3\n8:0 7\n", "8:0 7"},
		{"blkio.throttle.read_bps_device", "8:0 5", "", "8:0 0"},
		{"io.max", "8:0 rbps=5", "8:0 rbps=3 wbps=max riops=max wiops=max\n", "8:0 rbps=3 wbps=max riops=max wiops=max"},
		{"io.max", "8:0 rbps=5", "8:16 rbps=3\n", "8:0 rbps=max wbps=max riops=max wiops=max"},
		{"io.weight", "500", "default 100\n8:0 200\n", "default 100"},
		{"io.weight", "8:0 500", "default 100\n", "8:0 default"},
		{"net_prio.ifpriomap", "eth0 5", "lo 0\neth0 2\n", "eth0 2"},
		{"misc.max", "sev_es 5", "sev 1\nsev_es 2\n", "sev_es 2"},
		{"rdma.max", "mlx4_0 hca_handle=1", "\n", "mlx4_0 hca_handle=max hca_object=max"},
	} {
		d := fake(t, files{c.file: c.text})
		if got, err := (setting{file: c.file, value: c.value}).now(d); err != nil || got != c.want {
			t.Errorf("%s is %q: got %q, %v, want %q", c.file, c.text, got, err, c.want)
		}
	}
	if _, err := (setting{file: "x", value: "1"}).now(fake(t, files{"x": "1\n2\n"})); !errors.Is(err, errManyLines) {
		t.Errorf("got %v", err)
	}
}

func TestUpdateThatFailsChangesNothing(t *testing.T) {
	h := realHost(t)
	c := created(t, h)
	cpu, onV2 := has(t, c, "cpu", "cpu")
	if !cpu && !onV2 {
		t.Skip("this host has no controller cpu")
	}
	first := specs.LinuxResources{
		CPU:  &specs.LinuxCPU{Shares: new(uint64(512)), Quota: new(int64(50000)), Period: new(uint64(100000)), Burst: new(uint64(20000))},
		Pids: &specs.LinuxPids{Limit: new(int64(50))},
	}
	if err := c.Update(&first); err != nil {
		t.Fatal(err)
	}
	second := specs.LinuxResources{
		CPU:  &specs.LinuxCPU{Shares: new(uint64(1024)), Quota: new(int64(5000)), Period: new(uint64(10000)), Burst: new(uint64(1000))},
		Pids: &specs.LinuxPids{Limit: new(int64(60))},
		BlockIO: &specs.LinuxBlockIO{ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{
			{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 511, Minor: 9}, Rate: 1},
		}},
	}
	if err := c.Update(&second); err == nil || !strings.HasPrefix(err.Error(), "linux.resources.blockIO.throttleReadBpsDevice[0] (") || !errors.Is(err, unix.ENODEV) {
		t.Fatalf("got %v", err)
	}
	want := files{"cpu.shares": "512", "cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000", "cpu.cfs_burst_us": "20000"}
	if onV2 {
		want = files{"cpu.weight": "59", "cpu.max": "50000 100000", "cpu.max.burst": "20000"}
	}
	for file, value := range want {
		if got := content(t, c, "cpu", file); got != value {
			t.Errorf("%s is %s, want %s", file, got, value)
		}
	}
	if got := content(t, c, "pids", "pids.max"); got != "50" {
		t.Errorf("pids.max is %s", got)
	}
}
