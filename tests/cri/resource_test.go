package cri

import (
	"fmt"
	"os"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	memoryLimit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes"
	cpuQuota    = "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us"
)

// resourceTests are limits, counters and mounts.
var resourceTests = []test{
	{"limits", func(p *pod) error {
		return p.prints(memoryLimit+"; "+cpuQuota+"; cat /sys/fs/cgroup/cpu/cpu.shares /proc/self/oom_score_adj", 0, "67108864\n50000\n512\n555\n", func(c *cri.ContainerConfig) {
			c.Linux.Resources = &cri.LinuxContainerResources{MemoryLimitInBytes: 64 << 20, CpuPeriod: 100000, CpuQuota: 50000, CpuShares: 512, OomScoreAdj: 555}
		})
	}},
	{"update of resources", func(p *pod) error {
		c, err := p.run("sleep 100", func(c *cri.ContainerConfig) { c.Linux.Resources.MemoryLimitInBytes = 64 << 20 })
		if err != nil {
			return err
		}
		_, err = p.runtime.UpdateContainerResources(p.ctx, &cri.UpdateContainerResourcesRequest{
			ContainerId: c.id, Linux: &cri.LinuxContainerResources{MemoryLimitInBytes: 48 << 20, CpuPeriod: 100000, CpuQuota: 25000, CpusetCpus: "0"},
		})
		return first(err, c.wants(memoryLimit, fmt.Sprint(48<<20)), c.wants(cpuQuota, "25000"), c.wants("cat /sys/fs/cgroup/cpuset/cpuset.cpus", "0"))
	}},
	{"container's stats", func(p *pod) error {
		c, err := p.run("echo x >/written; sleep 100")
		if err != nil {
			return err
		}
		for {
			r, err := p.runtime.ContainerStats(p.ctx, &cri.ContainerStatsRequest{ContainerId: c.id})
			if err != nil {
				return fmt.Errorf("%w: %v", err, r)
			}
			if r.Stats.GetCpu().GetUsageCoreNanoSeconds().GetValue() > 0 && r.Stats.GetMemory().GetWorkingSetBytes().GetValue() > 0 {
				return nil
			}
			time.Sleep(100 * time.Millisecond)
		}
	}},
	{"pod's stats", func(p *pod) error {
		if _, err := p.run("sleep 100"); err != nil {
			return err
		}
		r, err := p.runtime.PodSandboxStats(p.ctx, &cri.PodSandboxStatsRequest{PodSandboxId: p.id})
		if err != nil {
			return err
		}
		l := r.Stats.GetLinux()
		if l.GetCpu().GetUsageCoreNanoSeconds().GetValue() == 0 || l.GetMemory().GetUsageBytes().GetValue() == 0 || len(l.GetContainers()) != 1 {
			return fmt.Errorf("the stats are %v", l)
		}
		return nil
	}},
	{"mounts", func(p *pod) error {
		if err := os.MkdirAll("/run/vol", 0o755); err != nil {
			return err
		}
		return p.prints("echo x >/rw/f && cat /ro/f; echo x >/ro/f || echo refused", 0, "x\nrefused\n", func(c *cri.ContainerConfig) {
			c.Mounts = []*cri.Mount{{ContainerPath: "/rw", HostPath: "/run/vol"}, {ContainerPath: "/ro", HostPath: "/run/vol", Readonly: true}}
		})
	}},
	{"mount propagation", func(p *pod) error {
		if err := os.MkdirAll("/run/prop/m", 0o755); err != nil {
			return err
		}
		c, err := p.run("mount -t tmpfs t /both/m && touch /both/m/seen; sleep 100", func(c *cri.ContainerConfig) {
			c.Mounts = []*cri.Mount{{ContainerPath: "/both", HostPath: "/run/prop", Propagation: cri.MountPropagation_PROPAGATION_BIDIRECTIONAL}}
			c.Linux.SecurityContext.Capabilities = &cri.Capability{AddCapabilities: []string{"SYS_ADMIN"}}
		})
		if err != nil {
			return err
		}
		defer c.exec("umount /both/m")
		other, err := p.run("sleep 100", func(c *cri.ContainerConfig) {
			c.Mounts = []*cri.Mount{{ContainerPath: "/in", HostPath: "/run/prop", Propagation: cri.MountPropagation_PROPAGATION_HOST_TO_CONTAINER}}
		})
		if err != nil {
			return err
		}
		return other.wants("until [ -e /in/m/seen ]; do sleep 0.1; done; echo seen", "seen")
	}},
	{"device", func(p *pod) error {
		return p.prints("stat -c %F /dev/other", 0, "character special file", func(c *cri.ContainerConfig) {
			c.Devices = []*cri.Device{{ContainerPath: "/dev/other", HostPath: "/dev/fuse", Permissions: "r"}}
		})
	}},
}
