package cgroups

import (
	"maps"
	"math"
	"slices"
	"strings"

	"hull/internal/dbus"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// property is a property of a unit, org.freedesktop.systemd1(5).
type property struct {
	name  string
	value dbus.Variant
}

// wire is the form of a(sv).
func wire(properties []property) []any {
	list := []any{}
	for _, p := range properties {
		list = append(list, []any{p.name, p.value})
	}
	return list
}

func count(name string, n uint64) property {
	return property{name, dbus.Variant{Signature: "t", Value: n}}
}

// infinity is systemd's "no limit".
const infinity = math.MaxUint64

// bytesProperty leaves out what is unset; -1 is infinity.
func bytesProperty(list []property, name string, n *int64) []property {
	if n == nil || *n == 0 || *n < -1 {
		return list
	}
	return append(list, count(name, uint64(*n))) //nolint:gosec // -1 becomes infinity
}

// properties are what systemd can know of r. It must: systemd writes the
// files again when it is reloaded, or starts a unit nearby, with what it knows.
func (s *systemd) properties(m *manager, r *specs.LinuxResources) ([]property, error) {
	if r == nil {
		return nil, nil
	}
	var list []property
	list, err := s.memoryProperties(list, r)
	if err != nil {
		return nil, err
	}
	if list, err = s.cpuProperties(list, m, r); err != nil {
		return nil, err
	}
	if r.Pids != nil && r.Pids.Limit != nil && *r.Pids.Limit >= -1 {
		limit := uint64(*r.Pids.Limit) //nolint:gosec // -1 becomes infinity
		list = append(list, count("TasksMax", max(limit, 1)))
	}
	list = s.ioProperties(list, r.BlockIO)
	return s.unifiedProperties(list, m, r.Unified), nil
}

func (s *systemd) memoryProperties(list []property, r *specs.LinuxResources) ([]property, error) {
	mem := r.Memory
	if mem == nil {
		return list, nil
	}
	if !s.onV2() {
		return bytesProperty(list, "MemoryLimit", mem.Limit), nil
	}
	list = bytesProperty(list, "MemoryMax", mem.Limit)
	list = bytesProperty(list, "MemoryLow", mem.Reservation)
	d, err := openDir(s.anyPath())
	if err != nil {
		d = absent
	}
	defer d.close()
	swap, err := swapMax(mem, d)
	if err != nil || len(swap) == 0 {
		return list, err
	}
	n, err := parseUint(swap[0].value)
	return append(list, count("MemorySwapMax", n)), err
}

func (s *systemd) ioProperties(list []property, b *specs.LinuxBlockIO) []property {
	if b == nil {
		return list
	}
	if b.Weight != nil && *b.Weight != 0 {
		if s.onV2() {
			list = append(list, count("IOWeight", ioWeight(*b.Weight)))
		} else {
			list = append(list, count("BlockIOWeight", uint64(max(*b.Weight, 10))))
		}
	}
	if !s.onV2() {
		return list
	}
	limits := map[string][]any{}
	throttle(b, func(t throttled) {
		rate := t.rate
		if rate == 0 {
			rate = infinity
		}
		name := map[string]string{"rbps": "IOReadBandwidthMax", "wbps": "IOWriteBandwidthMax", "riops": "IOReadIOPSMax", "wiops": "IOWriteIOPSMax"}[t.v2]
		limits[name] = append(limits[name], []any{"/dev/block/" + strings.TrimSpace(t.device), rate})
	})
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		list = append(list, property{name, dbus.Variant{Signature: "a(st)", Value: limits[name]}})
	}
	return list
}

// unifiedProperties are those files of linux.resources.unified that systemd
// has a property for. A value that it has no number for it need not know.
func (s *systemd) unifiedProperties(list []property, m *manager, files map[string]string) []property {
	known := map[string]string{
		"memory.max": "MemoryMax", "memory.high": "MemoryHigh", "memory.low": "MemoryLow", "memory.min": "MemoryMin",
		"memory.swap.max": "MemorySwapMax", "pids.max": "TasksMax", "cpu.weight": "CPUWeight", "io.weight": "IOWeight",
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		n, err := parseUint(strings.TrimPrefix(files[file], "default "))
		if name, ok := known[file]; ok && err == nil {
			list = append(list, count(name, n))
		}
	}
	var c specs.LinuxCPU
	if fields := strings.Fields(files["cpu.max"]); len(fields) > 0 {
		quota, err := parseUint(fields[0])
		if err == nil {
			c.Quota = new(int64(min(quota, math.MaxInt64)))
		}
		if quota == infinity {
			c.Quota = new(int64(-1))
		}
		if len(fields) > 1 {
			if period, err := parseUint(fields[1]); err == nil {
				c.Period = &period
			}
		}
	}
	c.Cpus, c.Mems = files["cpuset.cpus"], files["cpuset.mems"]
	list = append(list, s.quotaProperties(m, &c)...)
	masks, err := cpusetProperties(m, &c)
	if err != nil { // an empty list, say
		return list
	}
	return append(list, masks...)
}
