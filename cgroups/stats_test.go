package cgroups

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReadsCountersOfV1(t *testing.T) {
	d := fake(t, files{
		"cpu.stat":                                  "nr_periods 3\nnr_throttled 2\nthrottled_time 77\n",
		"cpuacct.usage":                             "500\n",
		"cpuacct.usage_percpu":                      "300 200 \n",
		"cpuacct.usage_all":                         "cpu user system\n0 10 20\n1 30 40\n",
		"cpuacct.stat":                              "user 5\nsystem 7\n",
		"cpuset.cpus":                               "0-2,7\n",
		"cpuset.mems":                               "0\n",
		"cpuset.sched_load_balance":                 "1\n",
		"cpuset.sched_relax_domain_level":           "-1\n",
		"memory.stat":                               "cache 11\nrss 12\n",
		"memory.usage_in_bytes":                     "100\n",
		"memory.limit_in_bytes":                     "1000\n",
		"memory.max_usage_in_bytes":                 "120\n",
		"memory.failcnt":                            "4\n",
		"memory.memsw.limit_in_bytes":               "2000\n",
		"pids.current":                              "2\n",
		"pids.max":                                  "max\n",
		"blkio.throttle.io_serviced_recursive":      "8:0 Read 1\n8:0 Total 1\nTotal 1\n",
		"blkio.throttle.io_service_bytes_recursive": "8:0 Read 4096\nTotal 4096\n",
		"blkio.bfq.io_service_bytes_recursive":      "8:16 Write 512\nTotal 512\n",
		"blkio.bfq.sectors_recursive":               "8:16 9\n",
		"hugetlb.2MB.limit_in_bytes":                "1\n",
		"hugetlb.2MB.usage_in_bytes":                "5\n",
		"hugetlb.2MB.rsvd.usage_in_bytes":           "6\n",
		"hugetlb.2MB.rsvd.failcnt":                  "7\n",
	})
	compare(t, d, `{
		"cpu": {"usage": {"total": 500, "percpu": [300, 200], "percpu_kernel": [20, 40], "percpu_user": [10, 30], "kernel": 70000000, "user": 50000000},
			"throttling": {"periods": 3, "throttledPeriods": 2, "throttledTime": 77}},
		"cpuset": {"cpus": [0, 1, 2, 7], "cpu_exclusive": 0, "mems": [0], "mem_hardwall": 0, "mem_exclusive": 0, "memory_migrate": 0, "memory_spread_page": 0,
			"memory_spread_slab": 0, "memory_pressure": 0, "sched_load_balance": 1, "sched_relax_domain_level": -1},
		"memory": {"cache": 11, "usage": {"limit": 1000, "usage": 100, "max": 120, "failcnt": 4}, "swap": {"limit": 2000, "failcnt": 0},
			"kernel": {"limit": 0, "failcnt": 0}, "kernelTCP": {"limit": 0, "failcnt": 0}, "raw": {"cache": 11, "rss": 12}},
		"pids": {"current": 2},
		"blkio": {"ioServiceBytesRecursive": [{"major": 8, "minor": 16, "op": "Write", "value": 512}],
			"ioServicedRecursive": [{"major": 8, "op": "Read", "value": 1}, {"major": 8, "op": "Total", "value": 1}],
			"sectorsRecursive": [{"major": 8, "minor": 16, "value": 9}]},
		"hugetlb": {"2MB": {"usage": 6, "failcnt": 7}},
		"intel_rdt": {}, "network_interfaces": null}`,
		cpuStatsV1, cpuacctStats, cpusetStatsV1, memoryStatsV1, pidsStats, blkioStats, hugetlbStatsV1)
}

func TestReadsCountersOfV2(t *testing.T) {
	const psi = "some avg10=1.50 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.25 total=8\n"
	d := fake(t, files{
		"cpu.stat":            "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 1\nnr_throttled 1\nthrottled_usec 4\n",
		"cpu.pressure":        psi,
		"memory.stat":         "file 11\nkernel 13\n",
		"memory.current":      "100\n",
		"memory.max":          "1000\n",
		"memory.peak":         "120\n",
		"memory.events":       "low 0\nmax 6\noom_kill 1\n",
		"memory.swap.current": "20\n",
		"memory.swap.max":     "max\n",
		"pids.current":        "2\n",
		"pids.max":            "9\n",
		"io.stat":             "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=1\n8:16 \n",
		"hugetlb.2MB.max":     "max\n",
		"hugetlb.2MB.current": "5\n",
		"hugetlb.2MB.events":  "max 3\n",
	})
	compare(t, d, `{
		"cpu": {"usage": {"total": 5000, "kernel": 2000, "user": 3000}, "throttling": {"periods": 1, "throttledPeriods": 1, "throttledTime": 4000},
			"psi": {"some": {"avg10": 1.5, "avg60": 0, "avg300": 0, "total": 9}, "full": {"avg10": 0, "avg60": 0, "avg300": 0.25, "total": 8}}},
		"cpuset": {"cpu_exclusive": 0, "mem_hardwall": 0, "mem_exclusive": 0, "memory_migrate": 0, "memory_spread_page": 0,
			"memory_spread_slab": 0, "memory_pressure": 0, "sched_load_balance": 0, "sched_relax_domain_level": 0},
		"memory": {"cache": 11, "usage": {"limit": 1000, "usage": 100, "max": 120, "failcnt": 6},
			"swap": {"limit": 18446744073709551615, "usage": 120, "failcnt": 0},
			"kernel": {"limit": 0, "usage": 13, "failcnt": 0}, "kernelTCP": {"limit": 0, "failcnt": 0}, "raw": {"file": 11, "kernel": 13}},
		"pids": {"current": 2, "limit": 9},
		"blkio": {"ioServiceBytesRecursive": [{"major": 8, "op": "Read", "value": 1}, {"major": 8, "op": "Write", "value": 2}, {"major": 8, "op": "Discard", "value": 5}],
			"ioServicedRecursive": [{"major": 8, "op": "Read", "value": 3}, {"major": 8, "op": "Write", "value": 4}, {"major": 8, "op": "Discard", "value": 6}]},
		"hugetlb": {"2MB": {"usage": 5, "failcnt": 3}},
		"intel_rdt": {}, "network_interfaces": null}`,
		cpuStatsV2, memoryStatsV2, pidsStats, ioStats, hugetlbStatsV2)
}

// compare reads d by the functions and compares the JSON.
func compare(t *testing.T, d *dir, want string, read ...func(*counters, *Stats)) {
	t.Helper()
	c, s := &counters{d: d}, &Stats{Hugetlb: map[string]HugetlbStats{}}
	for _, f := range read {
		f(c, s)
	}
	if c.err != nil {
		t.Fatal(c.err)
	}
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var compact strings.Builder
	for _, r := range want { // the texts have no spaces inside strings
		if !strings.ContainsRune(" \n\t", r) {
			compact.WriteRune(r)
		}
	}
	if string(got) != compact.String() {
		t.Errorf("got  %s\nwant %s", got, compact.String())
	}
}

func TestUnreadableCounterIsAnError(t *testing.T) {
	c := &counters{d: fake(t, files{"pids.current": "many\n"})}
	pidsStats(c, &Stats{})
	if c.err == nil || !strings.Contains(c.err.Error(), "pids.current): cannot be read") {
		t.Errorf("got %v", c.err)
	}
}

func TestStatisticsOfARealCgroup(t *testing.T) {
	c := created(t, realHost(t))
	cmd := process(t, c, true, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; kill -STOP $$")
	var status unix.WaitStatus
	if _, err := unix.Wait4(cmd.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the process has not worked and stopped: %v, %v", status, err)
	}
	s, err := c.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if s.Pids.Current != 1 || s.CPU.Usage.Total == 0 || s.Memory.Usage.Usage == 0 || s.Memory.Usage.Limit == 0 || len(s.Memory.Raw) == 0 {
		t.Errorf("got %+v", s)
	}
}
