package cgroups

import (
	"strings"
)

// Stats reads the counters of every controller that is enabled.
func (c *v2) Stats() (*Stats, error) {
	d, err := openDir(c.path)
	if err != nil {
		return nil, err
	}
	defer d.close()
	counters, s := &counters{d: d}, &Stats{Hugetlb: map[string]HugetlbStats{}}
	cpuStatsV2(counters, s)
	s.CPUSet.CPUs, s.CPUSet.Mems = counters.list("cpuset.cpus.effective"), counters.list("cpuset.mems.effective")
	memoryStatsV2(counters, s)
	pidsStats(counters, s)
	ioStats(counters, s)
	hugetlbStatsV2(counters, s)
	return s, counters.err
}

func cpuStatsV2(c *counters, s *Stats) {
	const microsecond = 1000
	stat := c.table("cpu.stat")
	s.CPU = CPUStats{
		Usage: CPUUsage{
			Total: stat["usage_usec"] * microsecond, Kernel: stat["system_usec"] * microsecond, User: stat["user_usec"] * microsecond,
		},
		Throttling: Throttling{
			Periods: stat["nr_periods"], ThrottledPeriods: stat["nr_throttled"], ThrottledTime: stat["throttled_usec"] * microsecond,
		},
		PSI: c.psi("cpu.pressure"),
	}
}

// memoryStatsV2 reports memory and swap together, as v1 does, though v2 counts
// swap alone. The largest sum cannot be told from the largest parts.
func memoryStatsV2(c *counters, s *Stats) {
	raw := c.table("memory.stat")
	s.Memory = MemoryStats{
		Cache: raw["file"], Raw: raw, PSI: c.psi("memory.pressure"),
		Usage: MemoryEntry{
			Limit: c.uint("memory.max"), Usage: c.uint("memory.current"), Max: c.uint("memory.peak"), Failcnt: c.table("memory.events")["max"],
		},
		Swap:   MemoryEntry{Limit: c.uint("memory.swap.max"), Usage: c.uint("memory.swap.current"), Failcnt: c.table("memory.swap.events")["max"]},
		Kernel: MemoryEntry{Usage: raw["kernel"]},
	}
	swap, usage := &s.Memory.Swap, s.Memory.Usage
	swap.Usage += usage.Usage
	if swap.Limit+usage.Limit < swap.Limit { // either is unlimited
		swap.Limit = 1<<64 - 1
	} else {
		swap.Limit += usage.Limit
	}
}

// ioStats reads lines such as `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`.
func ioStats(c *counters, s *Stats) {
	s.Blkio.PSI = c.psi("io.pressure")
	bytes, ios := &s.Blkio.IoServiceBytesRecursive, &s.Blkio.IoServicedRecursive
	known := map[string]struct {
		op   string
		list *[]BlkioEntry
	}{
		"rbytes": {"Read", bytes}, "wbytes": {"Write", bytes}, "dbytes": {"Discard", bytes},
		"rios": {"Read", ios}, "wios": {"Write", ios}, "dios": {"Discard", ios},
	}
	const file = "io.stat"
	for line := range strings.Lines(c.text(file)) {
		fields := strings.Fields(line)
		for _, field := range fields[min(1, len(fields)):] {
			name, value, _ := strings.Cut(field, "=")
			counter, ok := known[name]
			if !ok {
				continue
			}
			major, minor := c.deviceNumbers(file, fields[0])
			n, err := parseUint(value)
			c.note(file, err)
			*counter.list = append(*counter.list, BlkioEntry{major, minor, counter.op, n})
		}
	}
}

func hugetlbStatsV2(c *counters, s *Stats) {
	for _, size := range pageSizes(c.d) {
		prefix := "hugetlb." + size + "."
		current := prefix + "current"
		if c.d.exists(prefix + "rsvd.current") {
			current = prefix + "rsvd.current"
		}
		s.Hugetlb[size] = HugetlbStats{Usage: c.uint(current), Failcnt: c.table(prefix + "events")["max"]}
	}
}
