package cgroups

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func FuzzUnitNamesAreValid(f *testing.F) {
	for _, path := range []string{"", "a.slice:b:c", "-:b:c", "::", ":::", "a-b.slice::../x", "x.slice:/:/"} {
		f.Add(path, "id")
	}
	f.Fuzz(func(t *testing.T, path, id string) {
		u, err := parseUnit(path, id, false)
		if err != nil {
			return
		}
		dir := u.path()
		if filepath.Clean(dir) != dir || strings.Contains(u.name, "/") || escape(u.name) != u.name || !strings.HasSuffix(u.name, ".scope") {
			t.Errorf("%q is %q at %q", path, u.name, dir)
		}
		if got := unitOf(map[string]string{"": dir}); got.name != u.name {
			t.Errorf("%q is %q, and loaded %q", path, u.name, got.name)
		}
	})
}

func FuzzMountinfo(f *testing.F) {
	for _, host := range hosts {
		f.Add(host.mountinfo, host.own)
	}
	f.Fuzz(func(_ *testing.T, mountinfo, own string) {
		h, err := detect(strings.NewReader(mountinfo), func(string) uint64 { return 0 })
		if err != nil {
			return
		}
		h.own = parseOwn(own)
		_, _ = h.paths("/a")
		_, _ = h.paths("a")
	})
}

func FuzzDeviceTransitions(f *testing.F) {
	f.Add("c 1:3 rwm\nb *:* m\n", "c 10:* rw\n")
	f.Add("a *:* rwm\n", "")
	f.Fuzz(func(t *testing.T, from, to string) {
		a, err := parseDevices(from)
		b, err2 := parseDevices(to)
		if err != nil || err2 != nil {
			return
		}
		reached := kernelWrites(deviceSet{a.allowAll, slices.Clone(a.exceptions)}, transition(a, b))
		for _, e := range b.exceptions {
			if !slices.ContainsFunc(reached.exceptions, func(r exception) bool { return r.covers(e) && e.covers(r) && r.access&e.access == e.access }) {
				t.Errorf("from %q to %q: %v is missing in %v", from, to, e, reached)
			}
		}
	})
}

func FuzzListsOfCPUs(f *testing.F) {
	for _, text := range []string{"0-3,7", "", "3-1", "0,,1", "-1", "8191", "8192", "0-"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		mask, err := bitmask(text)
		if err == nil && len(mask) > 1024 {
			t.Errorf("%q makes a mask of %d bytes", text, len(mask))
		}
		_, _ = (&systemd{Cgroup: &v2{}}).properties(&manager{version: 252}, &specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: text}})
	})
}
