package specconv

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// resources is config-linux.md, Control groups, as far as values are impossible on every host. What
// a kernel makes of a possible one is for the cgroups to find out.
func (k checker) resources(r *specs.LinuxResources) {
	if r == nil {
		return
	}
	k.deviceRules(r.Devices)
	if r.Memory != nil {
		k.in("memory").memory(r.Memory)
	}
	if r.CPU != nil {
		k.in("cpu").cpu(r.CPU)
	}
	if r.Pids != nil {
		k.limit("pids.limit", r.Pids.Limit)
	}
	if r.BlockIO != nil {
		k.in("blockIO").blockIO(r.BlockIO)
	}
	k.hugepages(r.HugepageLimits)
	k.network(r.Network)
	for _, name := range slices.Sorted(maps.Keys(r.Rdma)) {
		limits := r.Rdma[name]
		k := k.item("rdma", name)
		if name == "" || strings.ContainsAny(name, " \t\n") {
			k.bad("", nil, "the name of the device must not be empty or contain spaces").onKey()
		}
		if limits.HcaHandles == nil && limits.HcaObjects == nil {
			k.bad("", nil, "must have hcaHandles or hcaObjects")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Unified)) {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\n") {
			k.item("unified", name).bad("", nil, "is not the name of a file in a cgroup").onKey()
		}
	}
}

// unified reports parameters for cgroup v2 where there is none to take them.
func (k checker) unified(r *specs.LinuxResources, h Host) {
	if r != nil && len(r.Unified) > 0 && !h.CgroupV2 {
		k.bad("unified", nil, "is for cgroup v2 only, which this host does not have").onKey()
	}
}

// limit reports what is neither an amount nor -1, which is no limit.
func (k checker) limit(field string, n *int64) {
	if n != nil && *n < -1 {
		k.bad(field, *n, "must not be negative, except for -1, which means no limit")
	}
}

// memory is config-linux.md, Memory.
func (k checker) memory(m *specs.LinuxMemory) {
	k.limit("limit", m.Limit)
	k.limit("reservation", m.Reservation)
	k.limit("swap", m.Swap)
	k.limit("kernel", m.Kernel)
	k.limit("kernelTCP", m.KernelTCP)
	if m.Swap != nil && m.Limit != nil && *m.Swap > 0 && (*m.Limit > *m.Swap || *m.Limit == -1) {
		k.bad("swap", *m.Swap, "is less than the limit, %d; it is the limit of memory and swap together", *m.Limit)
	}
	// Docker writes -1 for a swappiness that is not to be changed, which is this as uint64.
	if m.Swappiness != nil && *m.Swappiness > 100 && *m.Swappiness != math.MaxUint64 {
		k.bad("swappiness", *m.Swappiness, "must be between 0 and 100")
	}
}

// cpu is config-linux.md, CPU. 0 means not set to engines, in most of its fields.
func (k checker) cpu(c *specs.LinuxCPU) {
	k.limit("quota", c.Quota)
	k.limit("realtimeRuntime", c.RealtimeRuntime)
	if c.Burst != nil && c.Quota != nil && *c.Quota > 0 && *c.Burst > uint64(*c.Quota) {
		k.bad("burst", *c.Burst, "is more than the quota, %d", *c.Quota)
	}
	if c.RealtimeRuntime != nil && c.RealtimePeriod != nil && *c.RealtimePeriod > 0 &&
		*c.RealtimeRuntime > 0 && uint64(*c.RealtimeRuntime) > *c.RealtimePeriod {
		k.bad("realtimeRuntime", *c.RealtimeRuntime, "is more than the realtimePeriod, %d", *c.RealtimePeriod)
	}
	k.cpus("cpus", c.Cpus)
	k.nodes("mems", c.Mems)
	if c.Idle != nil && *c.Idle != 0 && *c.Idle != 1 {
		k.bad("idle", *c.Idle, "must be 0 or 1")
	}
}

// blockIO is config-linux.md, Block IO.
func (k checker) blockIO(b *specs.LinuxBlockIO) {
	k.weight("weight", b.Weight)
	k.weight("leafWeight", b.LeafWeight)
	for i := range b.WeightDevice {
		d := &b.WeightDevice[i]
		k := k.at("weightDevice", i)
		k.deviceNumber("major", d.Major, maxMajor)
		k.deviceNumber("minor", d.Minor, maxMinor)
		k.weight("weight", d.Weight)
		k.weight("leafWeight", d.LeafWeight)
		if d.Weight == nil && d.LeafWeight == nil {
			k.bad("", nil, "must have weight or leafWeight")
		}
	}
	k.throttle("throttleReadBpsDevice", b.ThrottleReadBpsDevice)
	k.throttle("throttleWriteBpsDevice", b.ThrottleWriteBpsDevice)
	k.throttle("throttleReadIOPSDevice", b.ThrottleReadIOPSDevice)
	k.throttle("throttleWriteIOPSDevice", b.ThrottleWriteIOPSDevice)
}

// weight checks a weight of cgroup v1, which the spec has for both versions. Docker
// writes 0 when it is not set.
func (k checker) weight(field string, w *uint16) {
	if w != nil && *w != 0 && (*w < 10 || *w > 1000) {
		k.bad(field, *w, "must be between 10 and 1000")
	}
}

func (k checker) throttle(field string, devices []specs.LinuxThrottleDevice) {
	for i := range devices {
		k := k.at(field, i)
		k.deviceNumber("major", devices[i].Major, maxMajor)
		k.deviceNumber("minor", devices[i].Minor, maxMinor)
		if devices[i].Rate == 0 {
			k.need("rate")
		}
	}
}

// hugepages is config-linux.md, Huge page limits.
func (k checker) hugepages(limits []specs.LinuxHugepageLimit) {
	for i := range limits {
		k := k.at("hugepageLimits", i)
		if size := limits[i].Pagesize; !pageSize(size) {
			k.bad("pageSize", size, "must be a number and KB, MB or GB, as in 2MB")
		}
		if limits[i].Limit == 0 {
			k.need("limit")
		}
	}
}

// pageSize is whether s is a size as in the names of hugetlb's files: the number has no leading zero.
func pageSize(s string) bool {
	n := len(s) - len("MB")
	return n > 0 && digits(s[:n]) && s[0] != '0' && strings.IndexByte("KMG", s[n]) >= 0 && s[n+1] == 'B'
}

// network is config-linux.md, Network, whose device names are those of the host.
func (k checker) network(n *specs.LinuxNetwork) {
	if n == nil {
		return
	}
	for i := range n.Priorities {
		k := k.at("network.priorities", i)
		if fact := interfaceName(n.Priorities[i].Name); fact != "" {
			k.bad("name", n.Priorities[i].Name, "%s", fact)
		}
		if n.Priorities[i].Priority == 0 {
			k.need("priority")
		}
	}
}
