package cgroups

import (
	"strings"
)

// userHZ is the unit of cpuacct.stat: a hundredth of a second on all of Linux.
const userHZ = 1e9 / 100

// Stats reads the counters of every controller that is mounted, on a hybrid
// host in the unified hierarchy too.
func (c *v1) Stats() (*Stats, error) {
	s := &Stats{Hugetlb: map[string]HugetlbStats{}}
	for _, part := range []struct {
		controller string
		read       func(*counters, *Stats)
	}{
		{"cpu", cpuStatsV1},
		{"cpuacct", cpuacctStats},
		{"cpuset", cpusetStatsV1},
		{"memory", memoryStatsV1},
		{"pids", pidsStats},
		{"blkio", blkioStats},
		{"hugetlb", hugetlbStatsV1},
	} {
		d, err := c.dir(part.controller)
		if err != nil {
			return nil, err
		}
		counters := &counters{d: d}
		part.read(counters, s)
		d.close()
		if counters.err != nil {
			return nil, counters.err
		}
	}
	return s, c.unifiedStats(s)
}

// unifiedStats reads what a hybrid host has in the unified hierarchy alone.
func (c *v1) unifiedStats(s *Stats) error {
	if c.unified == nil {
		return nil
	}
	d, err := openDir(c.unified.path)
	if err != nil {
		return err
	}
	defer d.close()
	counters := &counters{d: d}
	s.CPU.PSI, s.Memory.PSI, s.Blkio.PSI = counters.psi("cpu.pressure"), counters.psi("memory.pressure"), counters.psi("io.pressure")
	if c.path("hugetlb") == "" {
		hugetlbStatsV2(counters, s)
	}
	return counters.err
}

func cpuStatsV1(c *counters, s *Stats) {
	stat := c.table("cpu.stat")
	s.CPU.Throttling = Throttling{Periods: stat["nr_periods"], ThrottledPeriods: stat["nr_throttled"], ThrottledTime: stat["throttled_time"]}
}

func cpuacctStats(c *counters, s *Stats) {
	stat := c.table("cpuacct.stat")
	s.CPU.Usage = CPUUsage{
		Total:  c.uint("cpuacct.usage"),
		Percpu: c.numbers("cpuacct.usage_percpu"),
		Kernel: stat["system"] * userHZ,
		User:   stat["user"] * userHZ,
	}
	for line := range strings.Lines(c.text("cpuacct.usage_all")) { // cpu user system
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] == "cpu" {
			continue
		}
		user, err := parseUint(fields[1])
		c.note("cpuacct.usage_all", err)
		system, err := parseUint(fields[2])
		c.note("cpuacct.usage_all", err)
		s.CPU.Usage.PercpuUser = append(s.CPU.Usage.PercpuUser, user)
		s.CPU.Usage.PercpuKernel = append(s.CPU.Usage.PercpuKernel, system)
	}
}

func cpusetStatsV1(c *counters, s *Stats) {
	s.CPUSet = CPUSetStats{
		CPUs:             c.list("cpuset.cpus"),
		CPUExclusive:     c.uint("cpuset.cpu_exclusive"),
		Mems:             c.list("cpuset.mems"),
		MemHardwall:      c.uint("cpuset.mem_hardwall"),
		MemExclusive:     c.uint("cpuset.mem_exclusive"),
		MemoryMigrate:    c.uint("cpuset.memory_migrate"),
		MemorySpreadPage: c.uint("cpuset.memory_spread_page"),
		MemorySpreadSlab: c.uint("cpuset.memory_spread_slab"),
		MemoryPressure:   c.uint("cpuset.memory_pressure"),
		SchedLoadBalance: c.uint("cpuset.sched_load_balance"),
		// -1 is the system's default, and the largest number as uint reads it.
		SchedRelaxDomainLevel: int64(c.uint("cpuset.sched_relax_domain_level")), //nolint:gosec // meant to wrap
	}
}

func memoryStatsV1(c *counters, s *Stats) {
	entry := func(prefix string) MemoryEntry {
		return MemoryEntry{
			Limit:   c.uint(prefix + ".limit_in_bytes"),
			Usage:   c.uint(prefix + ".usage_in_bytes"),
			Max:     c.uint(prefix + ".max_usage_in_bytes"),
			Failcnt: c.uint(prefix + ".failcnt"),
		}
	}
	raw := c.table("memory.stat")
	s.Memory = MemoryStats{
		Cache: raw["cache"], Raw: raw,
		Usage: entry("memory"), Swap: entry("memory.memsw"), Kernel: entry("memory.kmem"), KernelTCP: entry("memory.kmem.tcp"),
	}
}

// pidsStats serves v1 and v2.
func pidsStats(c *counters, s *Stats) {
	s.Pids = PidsStats{Current: c.uint("pids.current"), Limit: c.uint("pids.max")}
	if s.Pids.Limit == 1<<64-1 {
		s.Pids.Limit = 0
	}
}

// blkioStats takes each counter from the I/O scheduler that has it, bfq or
// formerly CFQ, or else from the throttling layer, which counts every device.
func blkioStats(c *counters, s *Stats) {
	first := func(files ...string) []BlkioEntry {
		for _, file := range files {
			if list := c.blkio(file); len(list) > 0 {
				return list
			}
		}
		return nil
	}
	recursive := func(name string) []BlkioEntry { return first("blkio.bfq."+name, "blkio."+name) }
	s.Blkio = BlkioStats{
		IoServiceBytesRecursive: first("blkio.bfq.io_service_bytes_recursive", "blkio.io_service_bytes_recursive", "blkio.throttle.io_service_bytes_recursive"),
		IoServicedRecursive:     first("blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive", "blkio.throttle.io_serviced_recursive"),
		IoQueuedRecursive:       recursive("io_queued_recursive"),
		IoServiceTimeRecursive:  recursive("io_service_time_recursive"),
		IoWaitTimeRecursive:     recursive("io_wait_time_recursive"),
		IoMergedRecursive:       recursive("io_merged_recursive"),
		IoTimeRecursive:         recursive("time_recursive"),
		SectorsRecursive:        recursive("sectors_recursive"),
	}
}

// blkio reads lines such as `8:0 Read 4096`, some without the operation, and
// leaves out the sum of all devices.
func (c *counters) blkio(file string) []BlkioEntry {
	var list []BlkioEntry
	for line := range strings.Lines(c.text(file)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] == "Total" {
			continue
		}
		var e BlkioEntry
		e.Major, e.Minor = c.deviceNumbers(file, fields[0])
		if len(fields) > 2 {
			e.Op = fields[1]
		}
		var err error
		e.Value, err = parseUint(fields[len(fields)-1])
		c.note(file, err)
		list = append(list, e)
	}
	return list
}

func hugetlbStatsV1(c *counters, s *Stats) {
	for _, size := range pageSizes(c.d) {
		prefix := "hugetlb." + size + "."
		if c.d.exists(prefix + "rsvd.usage_in_bytes") {
			prefix += "rsvd."
		}
		s.Hugetlb[size] = HugetlbStats{
			Usage: c.uint(prefix + "usage_in_bytes"), Max: c.uint(prefix + "max_usage_in_bytes"), Failcnt: c.uint(prefix + "failcnt"),
		}
	}
}
