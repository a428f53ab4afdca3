package tests

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestIdmapShiftsTheOwners(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	maps := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 1000}}
	b := newBox(t)
	dir := b.path("source")
	b.check(os.MkdirAll(dir+"/sub", 0o755))
	b.check(os.Chown(dir, 7, 8))
	for _, c := range []struct {
		word, want string
		edit       edit
	}{
		{"idmap", "200007:200008", func(s *specs.Spec) { m := &s.Mounts[len(s.Mounts)-1]; m.UIDMappings, m.GIDMappings = maps, maps }},
		{"ridmap", "200007:200008", func(s *specs.Spec) { m := &s.Mounts[len(s.Mounts)-1]; m.UIDMappings, m.GIDMappings = maps, maps }},
		{"idmap", "7:8", userNamespace(200000)},
		{"nodev", "65534:65534", userNamespace(200000)},
	} {
		b := newBox(t, mount("/mnt", "bind", dir, "bind", c.word), c.edit, shell("stat -c %u:%g /mnt"))
		if got := strings.TrimSpace(b.mustRun()); got != c.want {
			t.Errorf("%s: the owner is %s, want %s", c.word, got, c.want)
		}
	}
}

func TestRidmapReachesTheMountsBelow(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	maps := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 1000}}
	b := newBox(t, shell("stat -c %u /mnt /mnt/sub"))
	dir := b.nestedBinds("source")
	for word, want := range map[string]string{"idmap": "200000\n0\n", "ridmap": "200000\n200000\n"} {
		b.configure(defaultSpec(b.id), mount("/mnt", "bind", dir, "rbind", word), shell("stat -c %u /mnt /mnt/sub"),
			func(s *specs.Spec) { m := &s.Mounts[len(s.Mounts)-1]; m.UIDMappings, m.GIDMappings = maps, maps })
		if got := b.mustRun(); got != want {
			t.Errorf("%s: the owners are %q, want %q", word, got, want)
		}
	}
}
