package cgroups

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"hull/internal/dbus"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func (s *systemd) cpuProperties(list []property, m *manager, r *specs.LinuxResources) ([]property, error) {
	c := r.CPU
	if c == nil {
		return list, nil
	}
	shares := c.Shares != nil && *c.Shares != 0
	switch {
	case shares && s.onV2():
		list = append(list, count("CPUWeight", weight(*c.Shares)))
	case shares:
		list = append(list, count("CPUShares", min(max(*c.Shares, minShares), maxShares)))
	}
	if c.Idle != nil && s.onV2() && m.version >= 252 { // which knows idle, as a weight
		if *c.Idle == 1 {
			list = append(list, count("CPUWeight", 0))
		} else if !shares {
			list = append(list, count("CPUWeight", 100))
		}
	}
	list = append(list, s.quotaProperties(m, c)...)
	if !s.onV2() {
		return list, nil
	}
	masks, err := cpusetProperties(m, c)
	return append(list, masks...), err
}

// quotaProperties: systemd takes the quota per second, and makes percents of
// it, so that it is rounded up. It needs the period that is in force.
func (s *systemd) quotaProperties(m *manager, c *specs.LinuxCPU) []property {
	quota, period := s.bandwidth()
	if c.Quota != nil && *c.Quota != 0 {
		quota = *c.Quota
	}
	var list []property
	if c.Period != nil && *c.Period != 0 {
		period = *c.Period
		if m.version >= 242 {
			list = append(list, count("CPUQuotaPeriodUSec", period))
		}
	} else if c.Quota == nil || *c.Quota == 0 {
		return nil
	}
	if quota < 0 {
		return append(list, count("CPUQuotaPerSecUSec", infinity))
	}
	const percent = 10000 // microseconds in a second
	perSecond := uint64(math.Ceil(float64(quota) * 1e6 / float64(period)))
	return append(list, count("CPUQuotaPerSecUSec", (perSecond+percent-1)/percent*percent))
}

// bandwidth is the quota and the period that are in force.
func (s *systemd) bandwidth() (quota int64, period uint64) {
	quota, period = -1, 100000
	var text string
	switch c := s.Cgroup.(type) {
	case *v2:
		if d, err := openDir(c.path); err == nil {
			defer d.close()
			text, _ = d.read("cpu.max")
		}
	case *v1:
		if d, err := c.dir("cpu"); err == nil {
			defer d.close()
			quota, _ := d.read("cpu.cfs_quota_us")
			period, _ := d.read("cpu.cfs_period_us")
			text = quota + " " + period
		}
	}
	first, second, _ := strings.Cut(text, " ")
	if n, err := strconv.ParseInt(first, 10, 64); err == nil {
		quota = n
	}
	if n, err := strconv.ParseUint(second, 10, 64); err == nil && n > 0 {
		period = n
	}
	return quota, period
}

// cpusetProperties are the CPUs and memory nodes, which systemd 244 knows, on v2.
func cpusetProperties(m *manager, c *specs.LinuxCPU) ([]property, error) {
	var list []property
	for _, set := range []struct{ name, field, text string }{{"AllowedCPUs", "cpus", c.Cpus}, {"AllowedMemoryNodes", "mems", c.Mems}} {
		if set.text == "" || m.version < 244 {
			continue
		}
		mask, err := bitmask(set.text)
		if err != nil {
			return nil, fmt.Errorf("%s%s (%s): %w", cpuField, set.field, set.text, err)
		}
		list = append(list, property{set.name, dbus.Variant{Signature: "ay", Value: mask}})
	}
	return list, nil
}

// bitmask makes 0-3,7 into bytes, the lowest bit first: cpuset(7), "List format".
func bitmask(text string) ([]any, error) {
	var mask []any
	for part := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(strings.TrimSpace(first), 10, 13)
		if err != nil {
			return nil, fmt.Errorf("%q is no number of a CPU or memory node", first)
		}
		to, err := strconv.ParseUint(strings.TrimSpace(last), 10, 13)
		if err != nil || to < from {
			return nil, fmt.Errorf("%q is no range", part)
		}
		for n := from; n <= to; n++ {
			for uint64(len(mask)) <= n/8 {
				mask = append(mask, byte(0))
			}
			old, _ := mask[n/8].(byte)
			mask[n/8] = old | 1<<(n%8)
		}
	}
	return mask, nil
}
