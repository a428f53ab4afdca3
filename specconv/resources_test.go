package specconv

import (
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func resourceCase(resources string, want ...string) broken {
	for i := range want {
		want[i] = "linux.resources." + want[i]
	}
	return broken{`{"linux": {"resources": {` + resources + `}}}`, want}
}

func TestReportsResources(t *testing.T) {
	const negative = ": must not be negative, except for -1, which means no limit"
	runBroken(t, Host{}, []broken{
		resourceCase(`"memory": {"limit": -1, "reservation": -1, "swap": -1, "kernel": -1, "kernelTCP": -1, "checkBeforeUpdate": true}`),
		resourceCase(`"memory": {"limit": -2, "reservation": -3, "swap": -4, "kernel": -5, "kernelTCP": -6}`,
			"memory.kernel (-5)"+negative, "memory.kernelTCP (-6)"+negative, "memory.limit (-2)"+negative,
			"memory.reservation (-3)"+negative, "memory.swap (-4)"+negative),
		resourceCase(`"memory": {"limit": 100, "swap": 99}`,
			"memory.swap (99): is less than the limit, 100; it is the limit of memory and swap together"),
		resourceCase(`"memory": {"limit": 100, "swap": 100, "swappiness": 100}`),
		resourceCase(`"memory": {"swappiness": 101}`, "memory.swappiness (101): must be between 0 and 100"),
		resourceCase(`"memory": {"swappiness": 18446744073709551615}`),
		resourceCase(`"cpu": {"shares": 0, "quota": -1, "period": 0, "cpus": "0-3,7", "mems": "0", "idle": 1, "burst": 5}`),
		resourceCase(`"cpu": {"quota": -2, "realtimeRuntime": -2, "cpus": "a", "mems": "2-1", "idle": 2}`,
			`cpu.cpus ("a"): "a" is not a number; a list looks like 0-3,7`, "cpu.idle (2): must be 0 or 1",
			`cpu.mems ("2-1"): the range "2-1" runs backwards`, "cpu.quota (-2)"+negative, "cpu.realtimeRuntime (-2)"+negative),
		resourceCase(`"cpu": {"quota": 1000, "burst": 1001}`, "cpu.burst (1001): is more than the quota, 1000"),
		resourceCase(`"cpu": {"realtimeRuntime": 1001, "realtimePeriod": 1000}`,
			"cpu.realtimeRuntime (1001): is more than the realtimePeriod, 1000"),
		resourceCase(`"pids": {"limit": -2}`, "pids.limit (-2)"+negative),
		resourceCase(`"pids": {"limit": 0}`),
		resourceCase(`"blockIO": {"weight": 0, "leafWeight": 1000, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 0}]}`),
		resourceCase(`"blockIO": {"weight": 9, "leafWeight": 1001, "weightDevice": [{"major": 8, "minor": 0}, {"major": -1, "minor": 1, "weight": 5}],
			"throttleReadBpsDevice": [{"major": 8}]}`,
			"blockIO.leafWeight (1001): must be between 10 and 1000",
			"blockIO.throttleReadBpsDevice[0].minor: is missing, and is REQUIRED by the spec",
			"blockIO.throttleReadBpsDevice[0].rate: is missing, and is REQUIRED by the spec",
			"blockIO.weight (9): must be between 10 and 1000",
			"blockIO.weightDevice[0]: must have weight or leafWeight",
			"blockIO.weightDevice[1].major (-1): must be between 0 and 4095",
			"blockIO.weightDevice[1].weight (5): must be between 10 and 1000"),
		resourceCase(`"hugepageLimits": [{"pageSize": "2MB", "limit": 0}, {"pageSize": "64kB", "limit": 1}, {"pageSize": "02MB", "limit": 1},
			{"pageSize": "MB", "limit": 1}, {"pageSize": "1GB"}]`,
			`hugepageLimits[1].pageSize ("64kB"): must be a number and KB, MB or GB, as in 2MB`,
			`hugepageLimits[2].pageSize ("02MB"): must be a number and KB, MB or GB, as in 2MB`,
			`hugepageLimits[3].pageSize ("MB"): must be a number and KB, MB or GB, as in 2MB`,
			"hugepageLimits[4].limit: is missing, and is REQUIRED by the spec"),
		resourceCase(`"network": {"classID": 1, "priorities": [{"name": "eth0", "priority": 1}, {"name": "", "priority": 0}]}`,
			`network.priorities[1].name (""): is missing or empty`),
		resourceCase(`"rdma": {"mlx5_1": {"hcaHandles": 3}, "a b": {"hcaObjects": 1}, "none": {}}`,
			`rdma["a b"]: the name of the device must not be empty or contain spaces`,
			"rdma.none: must have hcaHandles or hcaObjects"),
		resourceCase(`"unified": {"memory.high": "1"}`, "unified: is for cgroup v2 only, which this host does not have"),
		resourceCase(`"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": -1, "minor": -1}, {"allow": true, "type": "a"}]`),
		resourceCase(`"devices": [{"allow": true, "type": "u", "major": -2, "minor": 1048576, "access": "rx"}]`,
			`devices[0].access ("rx"): must be made of the letters r, w and m`,
			"devices[0].major (-2): must be between 0 and 4095, or -1 for all",
			"devices[0].minor (1048576): must be between 0 and 1048575, or -1 for all",
			`devices[0].type ("u"): is not a type of device; known values: a, b, c`),
	})
	runBroken(t, Host{CgroupV2: true}, []broken{
		resourceCase(`"unified": {"memory.high": "1"}`),
		resourceCase(`"unified": {"../x": "1", "": "2", "..": "3"}`,
			`unified[""]: is not the name of a file in a cgroup`,
			`unified[".."]: is not the name of a file in a cgroup`,
			`unified["../x"]: is not the name of a file in a cgroup`),
	})
}

func TestReportsResourcesWithTheirPlace(t *testing.T) {
	_, err := LoadResources(strings.NewReader("{\n\t\"pids\": {\"limit\": -7}\n}"), "standard input")
	want := "standard input:2:20: pids.limit (-7): must not be negative, except for -1, which means no limit"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestReportsResourcesFromFlagsWithoutAPlace(t *testing.T) {
	limit := int64(-7)
	err := CheckResources(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}, Host{})
	want := "linux.resources.pids.limit (-7): must not be negative, except for -1, which means no limit"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := CheckResources(nil, Host{}); err != nil {
		t.Error(err)
	}
}
