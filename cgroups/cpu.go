package cgroups

import (
	"errors"
	"fmt"
	"math"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// cpuset sets linux.resources.cpu.cpus and mems, config-linux.md, "CPU". The
// files have the same names on v1 and v2.
func cpuset(r *specs.LinuxResources, _ *dir) ([]setting, error) {
	var list []setting
	if r.CPU == nil {
		return nil, nil
	}
	outside := facts{
		unix.EACCES: "not a part of what the parent cgroup has",
		unix.EINVAL: "this machine has no such number, or the list cannot be read",
		unix.ENOSPC: "would leave the processes in the cgroup nothing to run on",
	}
	if r.CPU.Cpus != "" {
		list = append(list, setting{"linux.resources.cpu.cpus", "cpuset.cpus", r.CPU.Cpus, outside})
	}
	if r.CPU.Mems != "" {
		list = append(list, setting{"linux.resources.cpu.mems", "cpuset.mems", r.CPU.Mems, outside})
	}
	return list, nil
}

// The range of linux.resources.cpu.shares on v1. The kernel takes other
// values and changes them; hull does not, or the container would get
// something else than what was asked.
const minShares, maxShares = 2, 262144

const cpuField = "linux.resources.cpu."

var (
	burstFacts = facts{unix.EINVAL: "must not be greater than quota"}
	quotaFacts = facts{unix.EINVAL: "a quota is at least 1000, at least the burst, and no more of the period than the parent cgroup has"}
	idleFacts  = facts{unix.EINVAL: "idle is 0 or 1"}
	shareFacts = facts{unix.EINVAL: "an idle cgroup has no shares: set idle to 0"}
	rtFacts    = facts{unix.EINVAL: "the parent cgroup has not that much real-time run time", unix.EBUSY: "real-time processes are running in the cgroup"}
)

// checkQuota refuses what the kernel would take for no limit.
func checkQuota(c *specs.LinuxCPU) error {
	if c.Quota != nil && *c.Quota < -1 {
		return unsupported(cpuField+"quota", *c.Quota, "must be a number of microseconds, or -1 for no limit")
	}
	return nil
}

// cpuV1 sets the other fields of linux.resources.cpu. As in runc, zero means
// unset where the kernel has no use for it: some engines send every field.
func cpuV1(r *specs.LinuxResources, _ *dir) ([]setting, error) {
	var list []setting
	c := r.CPU
	if c == nil {
		return nil, nil
	}
	if err := checkQuota(c); err != nil {
		return nil, err
	}
	if c.Shares != nil && *c.Shares != 0 {
		if *c.Shares < minShares || *c.Shares > maxShares {
			return nil, unsupported(cpuField+"shares", *c.Shares, fmt.Sprintf("must be from %d to %d", minShares, maxShares))
		}
		list = append(list, setting{cpuField + "shares", "cpu.shares", number(*c.Shares), shareFacts})
	}
	if c.Idle != nil {
		list = append(list, setting{cpuField + "idle", "cpu.idle", number(*c.Idle), idleFacts})
	}
	if c.Burst != nil {
		list = append(list, setting{cpuField + "burst", "cpu.cfs_burst_us", number(*c.Burst), burstFacts})
	}
	if c.Period != nil && *c.Period != 0 {
		list = append(list, setting{cpuField + "period", "cpu.cfs_period_us", number(*c.Period), quotaFacts})
	}
	if c.Quota != nil && *c.Quota != 0 {
		list = append(list, setting{cpuField + "quota", "cpu.cfs_quota_us", number(*c.Quota), quotaFacts})
	}
	if c.RealtimePeriod != nil && *c.RealtimePeriod != 0 {
		list = append(list, setting{cpuField + "realtimePeriod", "cpu.rt_period_us", number(*c.RealtimePeriod), rtFacts})
	}
	if c.RealtimeRuntime != nil && *c.RealtimeRuntime != 0 {
		list = append(list, setting{cpuField + "realtimeRuntime", "cpu.rt_runtime_us", number(*c.RealtimeRuntime), rtFacts})
	}
	return list, nil
}

func cpuV2(r *specs.LinuxResources, d *dir) ([]setting, error) {
	var list []setting
	c := r.CPU
	if c == nil {
		return nil, nil
	}
	if err := checkQuota(c); err != nil {
		return nil, err
	}
	const noRealtime = "cgroup v2 cannot limit real-time processes"
	if c.RealtimePeriod != nil && *c.RealtimePeriod != 0 {
		return nil, unsupported(cpuField+"realtimePeriod", *c.RealtimePeriod, noRealtime)
	}
	if c.RealtimeRuntime != nil && *c.RealtimeRuntime != 0 {
		return nil, unsupported(cpuField+"realtimeRuntime", *c.RealtimeRuntime, noRealtime)
	}
	if c.Shares != nil && *c.Shares != 0 {
		list = append(list, setting{cpuField + "shares", "cpu.weight", number(weight(*c.Shares)), shareFacts})
	}
	if c.Idle != nil {
		list = append(list, setting{cpuField + "idle", "cpu.idle", number(*c.Idle), idleFacts})
	}
	if c.Burst != nil {
		list = append(list, setting{cpuField + "burst", "cpu.max.burst", number(*c.Burst), burstFacts})
	}
	bandwidth, err := cpuMax(c, d)
	return append(list, bandwidth...), err
}

// weight turns cpu.shares into cpu.weight so that the minimum, default and
// maximum of one become those of the other: 2 is 1, 1024 is 100, 262144 is
// 10000. The straight line used formerly made 39 of the default 1024, less
// than the cgroups beside it had. The formula is that of runc, crun and youki.
func weight(shares uint64) uint64 {
	switch {
	case shares <= minShares:
		return 1
	case shares >= maxShares:
		return 10000
	}
	l := math.Log2(float64(shares))
	return uint64(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

// cpuMax sets quota and period, which share a file. A field left out keeps
// the value in force: the file takes a quota alone, but no period alone.
func cpuMax(c *specs.LinuxCPU, d *dir) ([]setting, error) {
	field, value := cpuField+"quota", ""
	if c.Quota != nil && *c.Quota != 0 {
		value = limit(*c.Quota)
	}
	if c.Period != nil && *c.Period != 0 {
		if value == "" {
			field, value = cpuField+"period", "max"
			now, err := d.read("cpu.max")
			if err != nil && !errors.Is(err, unix.ENOENT) {
				return nil, fmt.Errorf("%s (cpu.max): cannot be read: %w", field, err)
			}
			if quota, _, ok := strings.Cut(now, " "); ok {
				value = quota
			}
		}
		value += " " + number(*c.Period)
	}
	if value == "" {
		return nil, nil
	}
	return []setting{{field, "cpu.max", value, quotaFacts}}, nil
}
