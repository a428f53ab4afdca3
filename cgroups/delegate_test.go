package cgroups

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestDelegationGivesTheListedFilesAlone(t *testing.T) {
	h := realHost(t)
	c := created(t, h)
	unified, ok := c.Paths()[""]
	if os.Geteuid() != 0 || !ok {
		t.Skip("needs root and a unified hierarchy")
	}
	if err := (&v2{path: unified}).Delegate(1234); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint32{".": 1234, "cgroup.procs": 1234, "cgroup.threads": 1234, "cgroup.subtree_control": 1234, "cgroup.freeze": 0} {
		var st syscall.Stat_t
		if err := syscall.Stat(filepath.Join(unified, name), &st); err != nil || st.Uid != want || st.Gid != 0 {
			t.Errorf("%s belongs to %d:%d, %v; want %d:0", name, st.Uid, st.Gid, err, want)
		}
	}
}

func TestRootlessContainerThatNamesNoCgroupGoesWithout(t *testing.T) {
	h := &Host{V2: true, Mounts: []Mount{{Dir: "/proc/sys", Root: "/", Unified: true}}, own: map[string]string{"": "/x"}}
	c, err := h.New("", "id", Options{Rootless: true})
	if err != nil {
		t.Fatal(err)
	}
	if paths := c.Paths(); len(paths) != 0 {
		t.Errorf("it is at %v", paths)
	}
	if err := errors.Join(c.Check(), c.Create(), c.SetDevices(nil), c.Delete()); err != nil {
		t.Error(err)
	}
	if err := c.Set(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(1))}}); err == nil || !strings.HasPrefix(err.Error(), "linux.resources.pids.limit: cannot be limited: ") {
		t.Errorf("got %v", err)
	}
	if c, err := h.New("/named", "id", Options{Rootless: true}); err != nil || len(c.Paths()) != 1 {
		t.Errorf("named: %v, %v", c, err)
	}
}

func TestDelegationKnowsTheFilesWhereTheKernelDoesNotTell(t *testing.T) {
	dir := t.TempDir()
	want := []string{"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}
	if got := delegatable(filepath.Join(dir, "none")); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	list := filepath.Join(dir, "list")
	if err := os.WriteFile(list, []byte("cgroup.procs\nmemory.oom.group\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := delegatable(list), []string{"cgroup.procs", "memory.oom.group"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDelegationToleratesMissingFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: files change their owner")
	}
	d := fake(t, files{"cgroup.procs": "", "cgroup.threads": "", "memory.max": ""})
	if err := d.delegate(1234, []string{"cgroup.procs", "nosuch.file", "cgroup.threads"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint32{".": 1234, "cgroup.procs": 1234, "cgroup.threads": 1234, "memory.max": 0} {
		var st syscall.Stat_t
		if err := syscall.Stat(filepath.Join(d.path, name), &st); err != nil || st.Uid != want {
			t.Errorf("%s belongs to %d, %v; want %d", name, st.Uid, err, want)
		}
	}
}
