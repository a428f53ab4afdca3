package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/sys/mountinfo"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// resources edits linux.resources.
func resources(change func(*specs.LinuxResources)) edit {
	return func(s *specs.Spec) { change(s.Linux.Resources) }
}

// cgroupDir is the container's directory in the hierarchy of a v1 controller, or in the v2 tree
// for the controller "". The test is skipped where the host has no such hierarchy.
func (b *box) cgroupDir(controller string) string {
	b.t.Helper()
	infos, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	b.check(err)
	for _, m := range infos {
		if m.FSType == "cgroup2" && controller == "" || m.FSType == "cgroup" && slices.Contains(strings.Split(m.VFSOptions, ","), controller) {
			return filepath.Join(m.Mountpoint, cgroupBelow(b.spec.Linux.CgroupsPath))
		}
	}
	b.t.Skipf("this host has no cgroup v1 hierarchy with %s", controller)
	return ""
}

// wantFile compares a file of the container's cgroup; blanks count as one space.
func (b *box) wantFile(name, want string) {
	b.t.Helper()
	controller, _, _ := strings.Cut(name, ".")
	if onV2() {
		controller = ""
	}
	path := filepath.Join(b.cgroupDir(controller), name)
	data, err := os.ReadFile(path)
	if err != nil {
		b.t.Error(err)
		return
	}
	if got := strings.Join(strings.Fields(string(data)), " "); got != want {
		b.t.Errorf("%s is %q, want %q", path, got, want)
	}
}

func TestResourcesAreInTheFilesOfV1(t *testing.T) {
	needV1(t)
	for file, c := range map[string]struct {
		want   string
		change func(*specs.LinuxResources)
	}{
		"memory.limit_in_bytes":      {"33554432", func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Limit: new(int64(32 << 20))} }},
		"memory.soft_limit_in_bytes": {"16777216", func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Reservation: new(int64(16 << 20))} }},
		"memory.memsw.limit_in_bytes": {"67108864", func(r *specs.LinuxResources) {
			r.Memory = &specs.LinuxMemory{Limit: new(int64(32 << 20)), Swap: new(int64(64 << 20))}
		}},
		"memory.swappiness":              {"42", func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Swappiness: new(uint64(42))} }},
		"memory.oom_control":             {"oom_kill_disable 1 under_oom 0 oom_kill 0", func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{DisableOOMKiller: new(true)} }},
		"memory.kmem.tcp.limit_in_bytes": {"8388608", func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{KernelTCP: new(int64(8 << 20))} }},
		"cpu.shares":                     {"512", func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Shares: new(uint64(512))} }},
		"cpu.cfs_quota_us":               {"20000", func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Quota: new(int64(20000))} }},
		"cpu.cfs_period_us":              {"50000", func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Period: new(uint64(50000))} }},
		"cpu.cfs_burst_us": {"1000", func(r *specs.LinuxResources) {
			r.CPU = &specs.LinuxCPU{Quota: new(int64(20000)), Burst: new(uint64(1000))}
		}},
		"cpu.idle":                         {"1", func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Idle: new(int64(1))} }},
		"cpuset.cpus":                      {"0", func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Cpus: "0"} }},
		"cpuset.mems":                      {"0", func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Mems: "0"} }},
		"pids.max":                         {"123", func(r *specs.LinuxResources) { r.Pids = &specs.LinuxPids{Limit: new(int64(123))} }},
		"net_cls.classid":                  {"1048577", func(r *specs.LinuxResources) { r.Network = &specs.LinuxNetwork{ClassID: new(uint32(0x100001))} }},
		"blkio.bfq.weight":                 {"500", func(r *specs.LinuxResources) { r.BlockIO = &specs.LinuxBlockIO{Weight: new(uint16(500))} }},
		"blkio.throttle.read_bps_device":   {"DEV 1048576", throttle(func(b *specs.LinuxBlockIO, d []specs.LinuxThrottleDevice) { b.ThrottleReadBpsDevice = d })},
		"blkio.throttle.write_bps_device":  {"DEV 1048576", throttle(func(b *specs.LinuxBlockIO, d []specs.LinuxThrottleDevice) { b.ThrottleWriteBpsDevice = d })},
		"blkio.throttle.read_iops_device":  {"DEV 1048576", throttle(func(b *specs.LinuxBlockIO, d []specs.LinuxThrottleDevice) { b.ThrottleReadIOPSDevice = d })},
		"blkio.throttle.write_iops_device": {"DEV 1048576", throttle(func(b *specs.LinuxBlockIO, d []specs.LinuxThrottleDevice) { b.ThrottleWriteIOPSDevice = d })},
	} {
		t.Run(file, func(t *testing.T) {
			b := newBox(t, runProbe("pause"))
			controller, _, _ := strings.Cut(file, ".")
			dir := filepath.Dir(b.cgroupDir(controller))
			if !anyHas(dir, file) {
				t.Skipf("this kernel has no %s", file)
			}
			b.edit(resources(c.change)).create()
			major, minor := blockDevice(t)
			b.wantFile(file, strings.ReplaceAll(c.want, "DEV", fmt.Sprintf("%d:%d", major, minor)))
		})
	}
}

// anyHas tells whether the file exists in the directory or one below: the root of a hierarchy lacks some.
func anyHas(dir, name string) bool {
	probe := filepath.Join(dir, fmt.Sprintf("hull-test-%d-probe", os.Getpid()))
	if err := os.Mkdir(probe, 0o755); err != nil {
		return false
	}
	defer os.Remove(probe)
	_, err := os.Stat(filepath.Join(probe, name))
	return err == nil
}

// blockDevice is a disk of this machine: throttles name whole disks that exist.
func blockDevice(t *testing.T) (major, minor int64) {
	t.Helper()
	files, _ := filepath.Glob("/sys/block/*/dev")
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		if _, err := fmt.Sscanf(string(data), "%d:%d", &major, &minor); err == nil {
			return major, minor
		}
	}
	t.Skip("this machine has no disk in /sys/block")
	return 0, 0
}

func throttle(set func(*specs.LinuxBlockIO, []specs.LinuxThrottleDevice)) func(*specs.LinuxResources) {
	return func(r *specs.LinuxResources) {
		files, _ := filepath.Glob("/sys/block/*/dev")
		d := specs.LinuxThrottleDevice{Rate: 1 << 20}
		for _, f := range files {
			if data, err := os.ReadFile(f); err == nil {
				_, _ = fmt.Sscanf(string(data), "%d:%d", &d.Major, &d.Minor)
				break
			}
		}
		r.BlockIO = &specs.LinuxBlockIO{}
		set(r.BlockIO, []specs.LinuxThrottleDevice{d})
	}
}

// On a hybrid host a controller may be in the v2 tree alone.
func TestHugepageLimitIsInForceWhereverTheControllerIs(t *testing.T) {
	sizes, err := filepath.Glob("/sys/kernel/mm/hugepages/hugepages-2048kB")
	if err != nil || len(sizes) == 0 {
		t.Skip("this kernel has no huge pages of 2 MB")
	}
	b := newBox(t, runProbe("pause"), resources(func(r *specs.LinuxResources) {
		r.HugepageLimits = []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 << 20}}
	}))
	b.create()
	for _, dir := range b.cgroups() {
		for _, name := range []string{"hugetlb.2MB.max", "hugetlb.2MB.limit_in_bytes"} {
			if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil && string(text) == "4194304\n" {
				return
			}
		}
	}
	t.Errorf("no limit of 4194304 in any of %v", b.cgroups())
}

func TestContainerIsInEveryHierarchy(t *testing.T) {
	for name, path := range map[string]string{"absolute": "/%s", "deep": "/hull-tests/%s/leaf", "relative": "%s", "default": ""} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, runProbe("pause"))
			b.global = nil // these are paths of cgroupfs, not of systemd
			if path != "" {
				path = fmt.Sprintf(path, b.id)
			}
			b.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = path }).create()
			t.Cleanup(func() { removeTestParents() })
			for line := range strings.Lines(b.read(fmt.Sprintf("/proc/%d/cgroup", b.state().Pid))) {
				f := strings.SplitN(strings.TrimSpace(line), ":", 3)
				if f[0] == "0" && f[2] == "/" { // nothing of hull's is on the v2 side of a hybrid host
					continue
				}
				if !strings.Contains(f[2], b.id) || strings.HasPrefix(path, "/") && f[2] != path {
					t.Errorf("the container is in %q", line)
				}
			}
		})
	}
}

// removeTestParents removes the parent directory that tests share; hull leaves those alone.
func removeTestParents() {
	roots, err := hierarchies()
	if err != nil {
		return
	}
	for _, root := range roots {
		_ = os.Remove(filepath.Join(root, "hull-tests"))
	}
}

func TestCgroupThatIsInUseIsRefused(t *testing.T) {
	first := running(t)
	b := newBox(t, func(s *specs.Spec) { s.Linux.CgroupsPath = first.spec.Linux.CgroupsPath })
	b.run().expect(b, 1, "linux.cgroupsPath", first.id)
	if left := b.leftovers(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	first.wantStatus("running")
}

func TestSubCgroupsAreDeletedToo(t *testing.T) {
	b := running(t)
	roots, err := hierarchies()
	b.check(err)
	for _, root := range roots {
		if _, err := os.Stat(filepath.Join(root, b.id)); err == nil {
			b.check(os.MkdirAll(filepath.Join(root, b.id, "a", "b"), 0o755))
		}
	}
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}
