package libcontainer

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestCgroupBecomesTheUsersWhereTheContainerManagesIt(t *testing.T) {
	const uid, base = 5, 100000
	change := func(edit func(*specs.Spec)) *specs.Spec {
		s := &specs.Spec{
			Process: &specs.Process{User: specs.User{UID: uid}},
			Mounts:  []specs.Mount{{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid"}}},
			Linux: &specs.Linux{
				Namespaces:  []specs.LinuxNamespace{{Type: specs.CgroupNamespace}, {Type: specs.UserNamespace}},
				UIDMappings: []specs.LinuxIDMapping{{ContainerID: 0, HostID: base, Size: 10}},
			},
		}
		edit(s)
		return s
	}
	const nobody = ^uint32(0)
	for name, c := range map[string]struct {
		edit func(*specs.Spec)
		want uint32
	}{
		"writable":            {func(*specs.Spec) {}, base + uid},
		"no user namespace":   {func(s *specs.Spec) { s.Linux.Namespaces = s.Linux.Namespaces[:1] }, uid},
		"read-only":           {func(s *specs.Spec) { s.Mounts[0].Options = []string{"nosuid", "ro"} }, nobody},
		"not mounted":         {func(s *specs.Spec) { s.Mounts = nil }, nobody},
		"of the host":         {func(s *specs.Spec) { s.Mounts[0].Source = "/sys/fs/cgroup" }, nobody},
		"mounted elsewhere":   {func(s *specs.Spec) { s.Mounts[0].Destination = "/cgroup" }, nobody},
		"host's namespace":    {func(s *specs.Spec) { s.Linux.Namespaces = s.Linux.Namespaces[1:] }, nobody},
		"joined namespace":    {func(s *specs.Spec) { s.Linux.Namespaces[0].Path = "/proc/1/ns/cgroup" }, nobody},
		"joined user":         {func(s *specs.Spec) { s.Linux.Namespaces[1].Path = "/proc/1/ns/user" }, nobody},
		"user without number": {func(s *specs.Spec) { s.Process.User.UID = 50 }, nobody},
	} {
		got, ok := cgroupOwner(change(c.edit))
		if !ok {
			got = nobody
		}
		if got != c.want {
			t.Errorf("%s: the owner is %d, want %d", name, int32(got), int32(c.want))
		}
	}
}
