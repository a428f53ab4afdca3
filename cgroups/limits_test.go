package cgroups

import (
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// has says whether a controller is to be had for c, on v1 or v2.
func has(t *testing.T, c Cgroup, v1name, v2name string) (onV1, onV2 bool) {
	t.Helper()
	paths := c.Paths()
	if _, ok := paths[v1name]; ok {
		return true, false
	}
	unified, ok := paths[""]
	if !ok {
		return false, false
	}
	if len(paths) > 1 { // enabled when needed
		return false, (&v2{path: unified}).offers(v2name)
	}
	return false, slices.Contains(strings.Fields(content(t, c, "", "cgroup.controllers")), v2name)
}

// limits are settings that the kernel takes, and where they are to be seen:
// in the v1 file, or the v2 file.
var limits = []struct {
	name           string
	v1name, v2name string
	steps          []specs.LinuxResources
	v1, v2         files
}{
	{
		name: "memory and swap are raised and lowered together", v1name: "memory", v2name: "memory",
		steps: []specs.LinuxResources{memory(64<<20, 64<<20), memory(128<<20, 256<<20), memory(32<<20, 48<<20)},
		v1:    files{"memory.limit_in_bytes": "33554432", "memory.memsw.limit_in_bytes": "50331648"},
		v2:    files{"memory.max": "33554432", "memory.swap.max": "16777216"},
	},
	{
		name: "memory is unlimited again", v1name: "memory", v2name: "memory",
		steps: []specs.LinuxResources{memory(64<<20, 64<<20), {Memory: &specs.LinuxMemory{Limit: new(int64(-1))}}},
		v1:    files{"memory.limit_in_bytes": "9223372036854771712", "memory.memsw.limit_in_bytes": "9223372036854771712"},
		v2:    files{"memory.max": "max", "memory.swap.max": "max"},
	},
	{
		name: "quota, period and burst change in any order", v1name: "cpu", v2name: "cpu",
		steps: []specs.LinuxResources{bandwidth(50000, 100000, 20000), bandwidth(20000, 20000, 0), bandwidth(400000, 500000, 300000), bandwidth(5000, 10000, 1000)},
		v1:    files{"cpu.cfs_quota_us": "5000", "cpu.cfs_period_us": "10000", "cpu.cfs_burst_us": "1000"},
		v2:    files{"cpu.max": "5000 10000", "cpu.max.burst": "1000"},
	},
	{
		name: "shares are set while idle ends", v1name: "cpu", v2name: "cpu",
		steps: []specs.LinuxResources{{CPU: &specs.LinuxCPU{Idle: new(int64(1))}}, {CPU: &specs.LinuxCPU{Idle: new(int64(0)), Shares: new(uint64(512))}}},
		v1:    files{"cpu.shares": "512", "cpu.idle": "0"},
		v2:    files{"cpu.weight": "59", "cpu.idle": "0"},
	},
	{
		name: "processes", v1name: "pids", v2name: "pids",
		steps: []specs.LinuxResources{{Pids: &specs.LinuxPids{Limit: new(int64(0))}}},
		v1:    files{"pids.max": "0"},
		v2:    files{"pids.max": "0"},
	},
	{
		name: "CPUs", v1name: "cpuset", v2name: "cpuset",
		steps: []specs.LinuxResources{{CPU: &specs.LinuxCPU{Cpus: "0", Mems: "0"}}},
		v1:    files{"cpuset.cpus": "0", "cpuset.mems": "0"},
		v2:    files{"cpuset.cpus": "0", "cpuset.mems": "0"},
	},
	{
		name: "huge pages, wherever the controller is", v1name: "hugetlb", v2name: "hugetlb",
		steps: []specs.LinuxResources{{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 << 20}}}},
		v1:    files{"hugetlb.2MB.limit_in_bytes": "4194304", "hugetlb.2MB.rsvd.limit_in_bytes": "4194304"},
		v2:    files{"hugetlb.2MB.max": "4194304", "hugetlb.2MB.rsvd.max": "4194304"},
	},
}

func memory(limit, swap int64) specs.LinuxResources {
	return specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit, Swap: &swap}}
}

func bandwidth(quota int64, period, burst uint64) specs.LinuxResources {
	return specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: &quota, Period: &period, Burst: &burst}}
}

func TestKernelHoldsTheLimits(t *testing.T) {
	h := realHost(t)
	for _, tt := range limits {
		t.Run(tt.name, func(t *testing.T) {
			c := created(t, h)
			v1, v2 := has(t, c, tt.v1name, tt.v2name)
			if !v1 && !v2 {
				t.Skipf("this host has no controller %s", tt.v1name)
			}
			for i := range tt.steps {
				if err := c.Set(&tt.steps[i]); err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
			}
			want := tt.v1
			if v2 {
				want = tt.v2
			}
			for file, value := range want {
				if got := content(t, c, tt.v1name, file); got != value {
					t.Errorf("%s is %s, want %s", file, got, value)
				}
			}
		})
	}
}

// refused are settings that no kernel takes, and the end of the message.
var refused = []struct {
	name           string
	v1name, v2name string
	resources      specs.LinuxResources
	v1, v2         string
}{
	{
		name: "quota below the minimum", v1name: "cpu", v2name: "cpu",
		resources: specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(1))}},
		v1:        "linux.resources.cpu.quota (cpu.cfs_quota_us = 1): " + quotaFacts[22] + ": invalid argument",
		v2:        "linux.resources.cpu.quota (cpu.max = 1): " + quotaFacts[22] + ": invalid argument",
	},
	{
		name: "a CPU that does not exist", v1name: "cpuset", v2name: "cpuset",
		resources: specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "4000"}},
		v1:        "linux.resources.cpu.cpus (cpuset.cpus = 4000): the kernel refuses this value: numerical result out of range",
		v2:        "linux.resources.cpu.cpus (cpuset.cpus = 4000): the kernel refuses this value: numerical result out of range",
	},
	{
		name: "an unknown page size", v1name: "hugetlb", v2name: "hugetlb",
		resources: specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "3MB", Limit: 1}}},
		v1:        "linux.resources.hugepageLimits[0] (hugetlb.3MB.limit_in_bytes = 1): this machine has no pages of this size, only 1GB, 2MB: no such file or directory",
		v2:        "linux.resources.hugepageLimits[0] (hugetlb.3MB.max = 1): this machine has no pages of this size, only 1GB, 2MB: no such file or directory",
	},
	{
		name: "a device that does not exist", v1name: "blkio", v2name: "io",
		resources: specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 511, Minor: 9}, Rate: 1}}}},
		v1:        "linux.resources.blockIO.throttleReadBpsDevice[0] (blkio.throttle.read_bps_device = 511:9 1): there is no such device: no such device",
		v2:        "linux.resources.blockIO.throttleReadBpsDevice[0] (io.max = 511:9 rbps=1): there is no such device: no such device",
	},
	{
		name: "memory of the kernel, which no kernel of today limits", v1name: "memory", v2name: "memory",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Kernel: new(int64(1 << 20))}},
		v1:        "linux.resources.memory.kernel (memory.kmem.limit_in_bytes = 1048576): Linux 5.16 and later cannot limit kernel memory: the limit of all memory contains it: operation not supported",
		v2:        "linux.resources.memory.kernel (1048576): cgroup v2 cannot limit kernel memory: the limit of all memory contains it",
	},
}

func TestErrorsNameFieldFileValueAndFact(t *testing.T) {
	h := realHost(t)
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			c := created(t, h)
			v1, v2 := has(t, c, tt.v1name, tt.v2name)
			if !v1 && !v2 {
				t.Skipf("this host has no controller %s", tt.v1name)
			}
			want := tt.v1
			if v2 {
				want = tt.v2
			}
			if err := c.Set(&tt.resources); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestControllerThatIsNowhereIsAnErrorOnlyWhenAskedFor(t *testing.T) {
	h := realHost(t)
	if h.V2 || slices.ContainsFunc(h.Mounts, func(m Mount) bool { return slices.Contains(m.Controllers, "net_cls") }) {
		t.Skip("this host has net_cls, or v2")
	}
	c := created(t, h)
	if err := c.Set(&specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: new(uint32(0))}}); err != nil {
		t.Errorf("class 0: %v", err)
	}
	err := c.Set(&specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: new(uint32(5))}})
	want := "linux.resources.network.classID (net_cls.classid = 5): the cgroup v1 hierarchy net_cls is not mounted: file does not exist"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestUnifiedOnV1SaysSo(t *testing.T) {
	h := realHost(t)
	if h.V2 {
		t.Skip("this host has v2")
	}
	c := created(t, h)
	err := c.Set(&specs.LinuxResources{Unified: map[string]string{"memory.high": "1"}})
	want := "linux.resources.unified.memory.high (1): this host has cgroup v1"
	if _, hybrid := c.Paths()[""]; hybrid {
		want = "linux.resources.unified.memory.high (memory.high = 1): controller memory is not in the unified hierarchy of this host, which has both v1 and v2: no such file or directory"
	}
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
