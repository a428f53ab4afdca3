package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// limitFile is where a field of linux.resources is to be seen, and what it is there: on v1, on v2.
// A side without one has to refuse the field.
type limitFile struct {
	v1, want1 string
	v2, want2 string
	set       func(*specs.LinuxResources)
}

// limitFiles has each field of linux.resources but the devices. DEV is a disk of this machine.
var limitFiles = map[string]limitFile{
	"memory.limit": {"memory.limit_in_bytes", "33554432", "memory.max", "33554432", memoryLimits(specs.LinuxMemory{Limit: new(int64(32 << 20))})},
	"memory.reservation": {
		"memory.soft_limit_in_bytes", "16777216", "memory.low", "16777216",
		memoryLimits(specs.LinuxMemory{Reservation: new(int64(16 << 20))}),
	},
	"memory.swap": {
		"memory.memsw.limit_in_bytes", "67108864", "memory.swap.max", "33554432",
		memoryLimits(specs.LinuxMemory{Limit: new(int64(32 << 20)), Swap: new(int64(64 << 20))}),
	},
	// Linux 5.16 and later ignore it.
	"memory.kernel":           {set: memoryLimits(specs.LinuxMemory{Kernel: new(int64(8 << 20))})},
	"memory.kernelTCP":        {"memory.kmem.tcp.limit_in_bytes", "8388608", "", "", memoryLimits(specs.LinuxMemory{KernelTCP: new(int64(8 << 20))})},
	"memory.swappiness":       {"memory.swappiness", "42", "", "", memoryLimits(specs.LinuxMemory{Swappiness: new(uint64(42))})},
	"memory.disableOOMKiller": {"memory.oom_control", "oom_kill_disable 1 under_oom 0 oom_kill 0", "", "", memoryLimits(specs.LinuxMemory{DisableOOMKiller: new(true)})},
	// Linux 5.11 and later cannot do without.
	"memory.useHierarchy": {set: memoryLimits(specs.LinuxMemory{UseHierarchy: new(false)})},
	"cpu.shares":          {"cpu.shares", "512", "cpu.weight", "59", cpuLimits(specs.LinuxCPU{Shares: new(uint64(512))})},
	"cpu.quota":           {"cpu.cfs_quota_us", "20000", "cpu.max", "20000 100000", cpuLimits(specs.LinuxCPU{Quota: new(int64(20000))})},
	"cpu.period":          {"cpu.cfs_period_us", "50000", "cpu.max", "max 50000", cpuLimits(specs.LinuxCPU{Period: new(uint64(50000))})},
	"cpu.burst": {
		"cpu.cfs_burst_us", "1000", "cpu.max.burst", "1000",
		cpuLimits(specs.LinuxCPU{Quota: new(int64(20000)), Burst: new(uint64(1000))}),
	},
	"cpu.idle":            {"cpu.idle", "1", "cpu.idle", "1", cpuLimits(specs.LinuxCPU{Idle: new(int64(1))})},
	"cpu.realtimePeriod":  {"cpu.rt_period_us", "500000", "", "", cpuLimits(specs.LinuxCPU{RealtimePeriod: new(uint64(500000))})},
	"cpu.realtimeRuntime": {"cpu.rt_runtime_us", "1000", "", "", cpuLimits(specs.LinuxCPU{RealtimeRuntime: new(int64(1000))})},
	"cpu.cpus":            {"cpuset.cpus", "0", "cpuset.cpus", "0", cpuLimits(specs.LinuxCPU{Cpus: "0"})},
	"cpu.mems":            {"cpuset.mems", "0", "cpuset.mems", "0", cpuLimits(specs.LinuxCPU{Mems: "0"})},
	"pids.limit": {"pids.max", "123", "pids.max", "123", func(r *specs.LinuxResources) {
		r.Pids = &specs.LinuxPids{Limit: new(int64(123))}
	}},
	"network.classID": {"net_cls.classid", "1048577", "", "", func(r *specs.LinuxResources) {
		r.Network = &specs.LinuxNetwork{ClassID: new(uint32(0x100001))}
	}},
	"network.priorities": {"net_prio.ifpriomap", "lo 5", "", "", func(r *specs.LinuxResources) {
		r.Network = &specs.LinuxNetwork{Priorities: []specs.LinuxInterfacePriority{{Name: "lo", Priority: 5}}}
	}},
	"blockIO.weight": {"blkio.bfq.weight", "500", "io.bfq.weight", "default 500", func(r *specs.LinuxResources) {
		r.BlockIO = &specs.LinuxBlockIO{Weight: new(uint16(500))}
	}},
	"blockIO.leafWeight": {"blkio.leaf_weight", "500", "", "", func(r *specs.LinuxResources) {
		r.BlockIO = &specs.LinuxBlockIO{LeafWeight: new(uint16(500))}
	}},
	"blockIO.weightDevice": {"blkio.bfq.weight_device", "DEV 500", "io.bfq.weight", "DEV 500", func(r *specs.LinuxResources) {
		r.BlockIO = &specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{{LinuxBlockIODevice: disk(), Weight: new(uint16(500))}}}
	}},
	"blockIO.throttleReadBpsDevice": {
		"blkio.throttle.read_bps_device", "DEV 1048576", "io.max", "rbps=1048576",
		throttles(func(b *specs.LinuxBlockIO, d []specs.LinuxThrottleDevice) { b.ThrottleReadBpsDevice = d }),
	},
	"blockIO.throttleWriteBpsDevice": {
		"blkio.throttle.write_bps_device", "DEV 1048576", "io.max", "wbps=1048576",
		throttles(func(b *specs.LinuxBlockIO, d []specs.LinuxThrottleDevice) { b.ThrottleWriteBpsDevice = d }),
	},
	"blockIO.throttleReadIOPSDevice": {
		"blkio.throttle.read_iops_device", "DEV 1048576", "io.max", "riops=1048576",
		throttles(func(b *specs.LinuxBlockIO, d []specs.LinuxThrottleDevice) { b.ThrottleReadIOPSDevice = d }),
	},
	"blockIO.throttleWriteIOPSDevice": {
		"blkio.throttle.write_iops_device", "DEV 1048576", "io.max", "wiops=1048576",
		throttles(func(b *specs.LinuxBlockIO, d []specs.LinuxThrottleDevice) { b.ThrottleWriteIOPSDevice = d }),
	},
	"hugepageLimits": {"hugetlb.2MB.rsvd.limit_in_bytes", "4194304", "hugetlb.2MB.rsvd.max", "4194304", hugepages},
	"rdma": {"", "", "", "", func(r *specs.LinuxResources) {
		r.Rdma = map[string]specs.LinuxRdma{"nosuch0": {HcaHandles: new(uint32(3))}}
	}},
	"unified": {"", "", "memory.high", "33554432", func(r *specs.LinuxResources) { r.Unified = map[string]string{"memory.high": "33554432"} }},
}

func memoryLimits(m specs.LinuxMemory) func(*specs.LinuxResources) {
	return func(r *specs.LinuxResources) { r.Memory = &m }
}

func cpuLimits(c specs.LinuxCPU) func(*specs.LinuxResources) {
	return func(r *specs.LinuxResources) { r.CPU = &c }
}

func hugepages(r *specs.LinuxResources) {
	r.HugepageLimits = []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 << 20}}
}

// disk is one of this machine's, zero where there is none: throttles and weights are for whole disks that exist.
func disk() specs.LinuxBlockIODevice {
	var d specs.LinuxBlockIODevice
	files, _ := filepath.Glob("/sys/block/*/dev")
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		if _, err := fmt.Sscanf(string(data), "%d:%d", &d.Major, &d.Minor); err == nil {
			break
		}
	}
	return d
}

func throttles(set func(*specs.LinuxBlockIO, []specs.LinuxThrottleDevice)) func(*specs.LinuxResources) {
	return func(r *specs.LinuxResources) {
		r.BlockIO = &specs.LinuxBlockIO{}
		set(r.BlockIO, []specs.LinuxThrottleDevice{{LinuxBlockIODevice: disk(), Rate: 1 << 20}})
	}
}

// inForce looks for the file in the container's cgroups. On a hybrid host it may be one of v2.
func (f limitFile) inForce(b *box) (path, text, want string) {
	b.t.Helper()
	files := map[string]string{f.v1: f.want1, f.v2: f.want2}
	if f.v2 == "io.bfq.weight" { // where that is not, there may be iocost's
		files["io.weight"] = strings.Replace(f.want2, "500", "4950", 1)
	}
	for _, dir := range b.cgroups() {
		for file, want := range files {
			if data, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
				return filepath.Join(dir, file), strings.Join(strings.Fields(string(data)), " "), want
			}
		}
	}
	return "", "", ""
}

// check compares the file, or has the refusal r name the field.
func (f limitFile) check(b *box, field string, r *result) {
	b.t.Helper()
	if r.code != 0 {
		r.expect(b, 1, "linux.resources."+field)
		return
	}
	path, text, want := f.inForce(b)
	if strings.Contains(want, "DEV") {
		d := disk()
		if d.Major == 0 {
			b.t.Skip("this machine has no disk in /sys/block")
		}
		want = strings.ReplaceAll(want, "DEV", fmt.Sprintf("%d:%d", d.Major, d.Minor))
	}
	if path == "" || text != want && !strings.Contains(text+" ", want+" ") {
		b.t.Errorf("%s: %q is %q, want %q", field, path, text, want)
	}
}

func TestEveryLimitIsInForceOrRefused(t *testing.T) {
	plain := running(t)
	for field, f := range limitFiles {
		t.Run(field, func(t *testing.T) {
			b := newBox(t, resources(f.set), runProbe("pause"))
			r := b.hull("create", "--bundle", b.bundle, b.id)
			f.check(b, field, r)
			if r.code != 0 {
				b.wantNothingLeft()
				f.wantNoFile(plain.of(t), r)
			}
		})
	}
}

func TestUpdateSetsEveryLimitOrRefusesIt(t *testing.T) {
	const reset = `{"cpu": {"idle": 0, "burst": 0, "quota": -1, "period": 100000}, "memory": {"limit": -1, "swap": -1}}`
	plain := running(t)
	for field, f := range limitFiles {
		t.Run(field, func(t *testing.T) {
			b := plain.of(t)
			var limits specs.LinuxResources
			f.set(&limits)
			data, err := json.Marshal(limits)
			b.check(err)
			r := b.hull("update", "--resources", b.file("resources.json", string(data)), b.id)
			f.check(b, field, r)
			if r.code != 0 {
				f.wantNoFile(b, r)
			}
			b.must("update", "--resources", b.file("reset.json", reset), b.id)
		})
	}
}

// of is the box for a subtest, which fails in its stead.
func (b *box) of(t *testing.T) *box {
	sub := *b
	sub.t = t
	return &sub
}

// wantNoFile asserts that the refusal r was right: b's container, which has no limits, has no such file,
// or the kernel itself says that it does not do it.
func (f limitFile) wantNoFile(b *box, r *result) {
	b.t.Helper()
	if path, _, _ := f.inForce(b); path != "" && !strings.Contains(r.stderr, unix.EOPNOTSUPP.Error()) {
		b.t.Errorf("refused, though there is %s: %s", path, r)
	}
}
