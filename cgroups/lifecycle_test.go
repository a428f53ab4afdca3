package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestProcessJoinsEveryHierarchy(t *testing.T) {
	h := realHost(t)
	for _, born := range []bool{false, true} {
		c := created(t, h)
		pid := process(t, c, born, "exec sleep 1000").Process.Pid
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err != nil {
			t.Fatal(err)
		}
		own := parseOwn(string(text))
		for controller := range c.Paths() {
			if !strings.HasSuffix(own[controller], "/"+parentName(t)+"/c") {
				t.Errorf("born %v: controller %q: is in %s", born, controller, own[controller])
			}
		}
		if pids, err := c.Pids(); err != nil || !slices.Equal(pids, []int{pid}) {
			t.Errorf("Pids: %v, %v; want %d", pids, err, pid)
		}
		if err := errors.Join(c.Kill(), c.Delete()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFreezeStopsAndThawLetsGo(t *testing.T) {
	c := created(t, realHost(t))
	process(t, c, true, "while :; do :; done")
	for _, want := range []bool{true, true, false, false} {
		step := c.Thaw
		if want {
			step = c.Freeze
		}
		if err := step(); err != nil {
			t.Fatal(err)
		}
		if frozen, err := c.Frozen(); err != nil || frozen != want {
			t.Fatalf("frozen is %v, %v; want %v", frozen, err, want)
		}
	}
}

// killers are the ways to kill: what Kill chooses, and its fallback.
var killers = map[string]func(Cgroup) error{"chosen": Cgroup.Kill, "one by one": killFrozen}

func TestKillsFrozenProcessesAndSubCgroups(t *testing.T) {
	h := realHost(t)
	for name, kill := range killers {
		c := created(t, h)
		cmd := process(t, c, true, "sleep 1000 & sleep 1000 & wait")
		if err := c.Freeze(); err != nil {
			t.Fatal(err)
		}
		if err := kill(c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err := cmd.Wait()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
			t.Errorf("%s: the process ended with %v", name, err)
		}
		if err := c.Delete(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeleteTakesSubCgroupsAndIsIdempotent(t *testing.T) {
	c := created(t, realHost(t))
	for _, path := range c.Paths() {
		if err := os.MkdirAll(filepath.Join(path, "sub/deeper"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := c.Delete(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Kill(); err != nil {
		t.Errorf("killing what is gone: %v", err)
	}
}

func TestDeleteLeavesParentsOfOthers(t *testing.T) {
	h := realHost(t)
	first := created(t, h)
	second, err := h.New(parentPath(t)+"/second", "c", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Create(); err != nil {
		t.Fatal(err)
	}
	if err := first.Delete(); err != nil { // made the parents
		t.Fatal(err)
	}
	for name, path := range second.Paths() {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := second.Delete(); err != nil { // takes them away; first's cleanup looks
		t.Fatal(err)
	}
}

func TestRefusesCgroupWithProcessesAndLeavesThemAlone(t *testing.T) {
	h := realHost(t)
	c := created(t, h)
	pid := process(t, c, true, "exec sleep 1000").Process.Pid
	same, err := h.New(parentPath(t)+"/c", "c", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, refuses := range map[string]func() error{"Check": same.Check, "Create": same.Create} {
		err := refuses()
		want := "the cgroup exists and has processes, such as " + strconv.Itoa(pid) + ": device or resource busy"
		if err == nil || !strings.HasPrefix(err.Error(), "linux.cgroupsPath (/") || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s", name, err, want)
		}
	}
	if pids, err := c.Pids(); err != nil || len(pids) != 1 {
		t.Errorf("processes are %v, %v", pids, err)
	}
}

func TestRefusesFrozenCgroupAndUndoesWhatItMade(t *testing.T) {
	h := realHost(t)
	c := created(t, h)
	if err := c.Freeze(); err != nil {
		t.Fatal(err)
	}
	below, err := h.New(parentPath(t)+"/c/x/y", "c", Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = below.Create()
	if want := "the cgroup, or one above it, is frozen"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	for name, path := range c.Paths() {
		if _, err := os.Stat(filepath.Join(path, "x")); err == nil {
			t.Errorf("%q: %s is left", name, filepath.Join(path, "x"))
		}
	}
	if err := c.Thaw(); err != nil {
		t.Fatal(err)
	}
}

func TestFurtherProcessGoesWhereThereIsRoom(t *testing.T) {
	h := realHost(t)
	c := created(t, h)
	unified, ok := c.Paths()[""]
	if !ok {
		t.Skip("v1 alone takes processes everywhere")
	}
	whole := &v2{path: unified}
	pid := process(t, c, true, "exec sleep 1000").Process.Pid
	if same, err := whole.Of(pid); err != nil || same.Paths()[""] != unified {
		t.Errorf("the cgroup is at %v, %v", same.Paths(), err)
	}
	inner := filepath.Join(unified, "inner")
	text, err := os.ReadFile(filepath.Join(unified, "cgroup.controllers"))
	if err != nil {
		t.Fatal(err)
	}
	controllers := strings.Fields(string(text))
	if len(controllers) == 0 {
		t.Skip("no controller to give")
	}
	for _, err := range []error{
		os.Mkdir(inner, 0o755),
		os.WriteFile(filepath.Join(inner, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0),
		os.WriteFile(filepath.Join(unified, "cgroup.subtree_control"), []byte("+"+controllers[0]), 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if below, err := whole.Of(pid); err != nil || below.Paths()[""] != inner {
		t.Errorf("the cgroup is at %v, %v; want %s", below.Paths(), err, inner)
	}
}

func TestParentWithProcessesIsNotMadeThreaded(t *testing.T) {
	h := realHost(t)
	if !h.V2 {
		t.Skip("needs controllers on v2")
	}
	c := created(t, h)
	path := c.Paths()[""]
	process(t, c, true, "exec sleep 1000")
	below := &v2{path: filepath.Join(path, "below")}
	if err := below.Create(); err != nil {
		t.Fatal(err)
	}
	if kind := content(t, c, "", "cgroup.type"); kind != "domain" {
		t.Errorf("the parent became %q", kind)
	}
	err := below.Set(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(1))}})
	want := fmt.Sprintf("linux.resources.pids.limit (pids.max = 1): controller pids is not enabled in %s/cgroup.subtree_control, and cannot be: that cgroup has processes of its own: no such file or directory", path)
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
