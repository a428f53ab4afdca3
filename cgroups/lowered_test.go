package cgroups

import (
	"math"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// lowered says what each field becomes; the directory has the given files.
var lowered = []struct {
	name      string
	resources specs.LinuxResources
	files     files
	v1, v2    string // file=value of each setting, or the error
}{
	{
		name: "zero is unset, as some engines send every field",
		resources: specs.LinuxResources{
			Memory:  &specs.LinuxMemory{Limit: new(int64(0)), Swap: new(int64(0)), Reservation: new(int64(0)), Kernel: new(int64(0))},
			CPU:     &specs.LinuxCPU{Shares: new(uint64(0)), Quota: new(int64(0)), Period: new(uint64(0)), RealtimePeriod: new(uint64(0)), RealtimeRuntime: new(int64(0))},
			BlockIO: &specs.LinuxBlockIO{Weight: new(uint16(0)), LeafWeight: new(uint16(0))},
		},
	},
	{
		name:      "memory and swap",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(100)), Swap: new(int64(300)), Reservation: new(int64(50))}},
		files:     files{"memory.swap.max": "", "memory.memsw.limit_in_bytes": ""},
		v1:        "memory.limit_in_bytes=100 memory.memsw.limit_in_bytes=300 memory.soft_limit_in_bytes=50",
		v2:        "memory.swap.max=200 memory.max=100 memory.low=50",
	},
	{
		name:      "unlimited memory lifts swap too",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(-1))}},
		files:     files{"memory.swap.max": "", "memory.memsw.limit_in_bytes": ""},
		v1:        "memory.limit_in_bytes=-1 memory.memsw.limit_in_bytes=-1",
		v2:        "memory.swap.max=max memory.max=max",
	},
	{
		name:      "unlimited swap where swap is not counted",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(100)), Swap: new(int64(-1))}},
		v1:        "memory.limit_in_bytes=100",
		v2:        "memory.max=100",
	},
	{
		name:      "swap alone, the limit of memory being in force",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: new(int64(300))}},
		files:     files{"memory.swap.max": "", "memory.max": "100\n"},
		v1:        "memory.memsw.limit_in_bytes=300",
		v2:        "memory.swap.max=200",
	},
	{
		name:      "swap without a limit of memory",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: new(int64(300))}},
		files:     files{"memory.max": "max\n"},
		v1:        "memory.memsw.limit_in_bytes=300",
		v2:        "linux.resources.memory.swap (300): needs linux.resources.memory.limit: cgroup v2 limits swap alone, which is the difference",
	},
	{
		name:      "swap less than memory",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(400)), Swap: new(int64(300))}},
		v1:        "memory.limit_in_bytes=400 memory.memsw.limit_in_bytes=300",
		v2:        "linux.resources.memory.swap (300): memory and swap together must not be less than the memory limit 400",
	},
	{
		name:      "swappiness",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: new(uint64(0))}},
		v1:        "memory.swappiness=0",
		v2:        "linux.resources.memory.swappiness (0): cgroup v2 has no swappiness of a cgroup",
	},
	{
		name:      "Docker's word for the swappiness that there is",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: new(uint64(math.MaxUint64))}},
	},
	{
		name:      "too much swappiness",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: new(uint64(101))}},
		v1:        "linux.resources.memory.swappiness (101): must be from 0 to 100",
		v2:        "linux.resources.memory.swappiness (101): must be from 0 to 100",
	},
	{
		name:      "less than no memory",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Reservation: new(int64(-2))}},
		v1:        "linux.resources.memory.reservation (-2): must be a number of bytes, or -1 for no limit",
		v2:        "linux.resources.memory.reservation (-2): must be a number of bytes, or -1 for no limit",
	},
	{
		name:      "less than no time",
		resources: specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(-2))}},
		v1:        "linux.resources.cpu.quota (-2): must be a number of microseconds, or -1 for no limit",
		v2:        "linux.resources.cpu.quota (-2): must be a number of microseconds, or -1 for no limit",
	},
	{
		name:      "what v2 does anyway",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{DisableOOMKiller: new(false), UseHierarchy: new(true), Kernel: new(int64(-1)), KernelTCP: new(int64(-1))}},
		v1:        "memory.use_hierarchy=1 memory.oom_control=0",
	},
	{
		name:      "no OOM killer",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{DisableOOMKiller: new(true)}},
		v1:        "memory.oom_control=1",
		v2:        "linux.resources.memory.disableOOMKiller (true): cgroup v2 cannot disable the OOM killer",
	},
	{
		name:      "no hierarchy",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{UseHierarchy: new(false)}},
		v1:        "memory.use_hierarchy=0",
		v2:        "linux.resources.memory.useHierarchy (false): cgroup v2 always accounts a cgroup's children with it",
	},
	{
		name:      "kernel memory",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Kernel: new(int64(1)), KernelTCP: new(int64(2))}},
		v1:        "memory.kmem.limit_in_bytes=1 memory.kmem.tcp.limit_in_bytes=2",
		v2:        "linux.resources.memory.kernel (1): cgroup v2 cannot limit kernel memory: the limit of all memory contains it",
	},
	{
		name:      "TCP buffers",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{KernelTCP: new(int64(2))}},
		v1:        "memory.kmem.tcp.limit_in_bytes=2",
		v2:        "linux.resources.memory.kernelTCP (2): cgroup v2 cannot limit TCP buffers: the limit of all memory contains them",
	},
	{
		name:      "less memory than is in use",
		resources: specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(100)), CheckBeforeUpdate: new(true)}},
		files:     files{"memory.current": "101\n"},
		v1:        "memory.limit_in_bytes=100",
		v2:        "linux.resources.memory.limit (memory.max = 100): lower than the 101 bytes in use, and checkBeforeUpdate is set: device or resource busy",
	},
	{
		name:      "CPU",
		resources: specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(1024)), Quota: new(int64(5000)), Period: new(uint64(10000)), Burst: new(uint64(0)), Idle: new(int64(1)), Cpus: "0-1", Mems: "0"}},
		v1:        "cpuset.cpus=0-1 cpuset.mems=0 cpu.shares=1024 cpu.idle=1 cpu.cfs_burst_us=0 cpu.cfs_period_us=10000 cpu.cfs_quota_us=5000",
		v2:        "cpuset.cpus=0-1 cpuset.mems=0 cpu.weight=100 cpu.idle=1 cpu.max.burst=0 cpu.max=5000 10000",
	},
	{
		name:      "period alone keeps the quota",
		resources: specs.LinuxResources{CPU: &specs.LinuxCPU{Period: new(uint64(10000))}},
		files:     files{"cpu.max": "7000 100000\n"},
		v1:        "cpu.cfs_period_us=10000",
		v2:        "cpu.max=7000 10000",
	},
	{
		name:      "quota alone keeps the period",
		resources: specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(-1))}},
		v1:        "cpu.cfs_quota_us=-1",
		v2:        "cpu.max=max",
	},
	{
		name:      "real time",
		resources: specs.LinuxResources{CPU: &specs.LinuxCPU{RealtimeRuntime: new(int64(950)), RealtimePeriod: new(uint64(1000))}},
		v1:        "cpu.rt_period_us=1000 cpu.rt_runtime_us=950",
		v2:        "linux.resources.cpu.realtimePeriod (1000): cgroup v2 cannot limit real-time processes",
	},
	{
		name:      "shares out of range",
		resources: specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(1))}},
		v1:        "linux.resources.cpu.shares (1): must be from 2 to 262144",
		v2:        "cpu.weight=1",
	},
	{
		name:      "no process",
		resources: specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(0))}},
		v1:        "pids.max=0",
		v2:        "pids.max=0",
	},
	{
		name:      "any number of processes",
		resources: specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(-1))}},
		v1:        "pids.max=max",
		v2:        "pids.max=max",
	},
	{
		name:      "a senseless number of processes",
		resources: specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(-2))}},
		v1:        "linux.resources.pids.limit (-2): must be a number of processes, or -1 for no limit",
		v2:        "linux.resources.pids.limit (-2): must be a number of processes, or -1 for no limit",
	},
	{
		name:      "block I/O",
		resources: specs.LinuxResources{BlockIO: blockIO()},
		v1:        "blkio.weight=10 blkio.weight_device=8:0 1000 blkio.throttle.read_bps_device=8:0 1 blkio.throttle.write_bps_device=8:0 2 blkio.throttle.read_iops_device=8:0 3 blkio.throttle.write_iops_device=8:0 0",
		v2:        "io.weight=1 io.weight=8:0 10000 io.max=8:0 rbps=1 io.max=8:0 wbps=2 io.max=8:0 riops=3 io.max=8:0 wiops=max",
	},
	{
		name:      "block I/O weights of bfq",
		resources: specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: new(uint16(500))}},
		files:     files{"blkio.bfq.weight": "", "io.bfq.weight": "", "io.weight": "", "blkio.weight": ""},
		v1:        "blkio.bfq.weight=500",
		v2:        "io.bfq.weight=500",
	},
	{
		name:      "leaf weights",
		resources: specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{LeafWeight: new(uint16(500))}},
		v1:        "blkio.leaf_weight=500",
		v2:        "linux.resources.blockIO.leafWeight (500): cgroup v2 has no leaf weights: processes and child cgroups do not compete there",
	},
	{
		name:      "huge pages",
		resources: specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4}, {Pagesize: "1GB", Limit: 8}}},
		files:     files{"hugetlb.2MB.rsvd.limit_in_bytes": "", "hugetlb.2MB.rsvd.max": ""},
		v1:        "hugetlb.2MB.limit_in_bytes=4 hugetlb.2MB.rsvd.limit_in_bytes=4 hugetlb.1GB.limit_in_bytes=8",
		v2:        "hugetlb.2MB.max=4 hugetlb.2MB.rsvd.max=4 hugetlb.1GB.max=8",
	},
	{
		name:      "network",
		resources: specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: new(uint32(1048577)), Priorities: []specs.LinuxInterfacePriority{{Name: "eth0", Priority: 5}}}},
		v1:        "net_cls.classid=1048577 net_prio.ifpriomap=eth0 5",
		v2:        "linux.resources.network.classID (1048577): cgroup v2 has no network classes linux.resources.network.priorities[0] (eth0): cgroup v2 has no network priorities",
	},
	{
		name: "RDMA",
		resources: specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{
			"mlx5_1": {HcaHandles: new(uint32(3)), HcaObjects: new(uint32(4))}, "mlx4_0": {HcaObjects: new(uint32(1))},
		}},
		v1: "rdma.max=mlx4_0 hca_object=1 rdma.max=mlx5_1 hca_handle=3 hca_object=4",
		v2: "rdma.max=mlx4_0 hca_object=1 rdma.max=mlx5_1 hca_handle=3 hca_object=4",
	},
	{
		name:      "RDMA without a limit",
		resources: specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"mlx5_1": {}}},
		v1:        "linux.resources.rdma.mlx5_1 ({}): must have hcaHandles, hcaObjects or both",
		v2:        "linux.resources.rdma.mlx5_1 ({}): must have hcaHandles, hcaObjects or both",
	},
}
