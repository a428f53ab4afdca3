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

// wantFileOf is wantFile for a file of v1 or of v2, whichever this host has.
func (b *box) wantFileOf(v1, want1, v2, want2 string) {
	b.t.Helper()
	if onV2() {
		b.wantFile(v2, want2)
		return
	}
	b.wantFile(v1, want1)
}

func TestContainerIsInEveryHierarchy(t *testing.T) {
	for name, path := range map[string]string{"absolute": "/%s", "deep": "/hull-tests/%s/leaf", "relative": "%s", "default": ""} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, runProbe("pause"))
			b.global = nil // these are paths of cgroupfs, not of systemd
			if path != "" {
				path = fmt.Sprintf(path, b.id)
			}
			if filepath.IsAbs(path) {
				path = filepath.Join(delegated(), path)
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
		_ = os.Remove(filepath.Join(root, delegated(), "hull-tests"))
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
