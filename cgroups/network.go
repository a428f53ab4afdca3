package cgroups

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// netClsV1 sets linux.resources.network.classID, config-linux.md, "Network".
// Class 0 is no class: it asks for nothing where net_cls is not mounted.
func netClsV1(r *specs.LinuxResources, d *dir) ([]setting, error) {
	if r.Network == nil || r.Network.ClassID == nil || d == absent && *r.Network.ClassID == 0 {
		return nil, nil
	}
	return []setting{{field: "linux.resources.network.classID", file: "net_cls.classid", value: number(*r.Network.ClassID)}}, nil
}

func netClsV2(r *specs.LinuxResources, _ *dir) ([]setting, error) {
	if r.Network == nil || r.Network.ClassID == nil || *r.Network.ClassID == 0 {
		return nil, nil
	}
	return nil, unsupported("linux.resources.network.classID", *r.Network.ClassID, "cgroup v2 has no network classes")
}

// netPrioV1 sets linux.resources.network.priorities, config-linux.md, "Network".
func netPrioV1(r *specs.LinuxResources, _ *dir) ([]setting, error) {
	if r.Network == nil {
		return nil, nil
	}
	var list []setting
	for i, p := range r.Network.Priorities {
		list = append(list, setting{
			fmt.Sprintf("linux.resources.network.priorities[%d]", i),
			"net_prio.ifpriomap", p.Name + " " + number(p.Priority),
			facts{unix.ENODEV: "the runtime's network namespace has no such interface"},
		})
	}
	return list, nil
}

func netPrioV2(r *specs.LinuxResources, _ *dir) ([]setting, error) {
	if r.Network == nil || len(r.Network.Priorities) == 0 {
		return nil, nil
	}
	return nil, unsupported("linux.resources.network.priorities[0]", r.Network.Priorities[0].Name, "cgroup v2 has no network priorities")
}
