package cgroups

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The tests in this file make cgroups on the host they run on, below a parent of their own.

func ptr[T any](v T) *T { return &v }

// realHost is this host, for those who may make cgroups.
func realHost(t *testing.T) *Host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("making cgroups needs root")
	}
	h, err := Detect()
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Mounts) == 0 {
		t.Skip("no cgroup file system is mounted")
	}
	return h
}

// parent is the cgroup below which the test makes its own.
func parent(t *testing.T) string { return fmt.Sprintf("/hull-test-%d/%s", os.Getpid(), t.Name()) }

// created is a new cgroup that is gone when the test ends.
func created(t *testing.T, h *Host) Cgroup {
	t.Helper()
	c, err := h.New(parent(t)+"/c", "c", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Create(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Kill(), c.Delete()); err != nil {
			t.Error(err)
		}
		for _, path := range c.Paths() {
			top := strings.TrimSuffix(path, parent(t)+"/c") + "/" + strings.Split(parent(t), "/")[1]
			if _, err := os.Stat(top); err == nil && path != top {
				t.Errorf("%s is left", top)
			}
		}
	})
	return c
}

// process runs a shell script in c, which says so when it is there.
func process(t *testing.T, c Cgroup, born bool, script string) *exec.Cmd {
	t.Helper()
	files, err := c.JoinFiles(born)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(files)
	cmd := exec.Command("/bin/sh", "-c", `for f; do echo 0 >"$f" || exit 1; done; echo there; `+script, "sh")
	for _, f := range files {
		cmd.Args = append(cmd.Args, f.Name())
	}
	if dir, err := c.Dir(); err != nil {
		t.Fatal(err)
	} else if born && dir != nil {
		defer dir.Close()
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "there\n" {
		t.Fatalf("the process did not join: %q, %v", line, err)
	}
	return cmd
}

// content reads a file of c's cgroup of a controller.
func content(t *testing.T, c Cgroup, controller, file string) string {
	t.Helper()
	path, ok := c.Paths()[controller]
	if !ok {
		path = c.Paths()[""]
	}
	b, err := os.ReadFile(filepath.Join(path, file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

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
			if own[controller] != parent(t)+"/c" {
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
	second, err := h.New(parent(t)+"/second", "c", Options{})
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
	same, err := h.New(parent(t)+"/c", "c", Options{})
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
	below, err := h.New(parent(t)+"/c/x/y", "c", Options{})
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

func TestTellsAndCountsOOMKills(t *testing.T) {
	c := created(t, realHost(t))
	if err := c.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](4 << 20), Swap: ptr[int64](4 << 20)}}); err != nil {
		t.Fatal(err)
	}
	watch, err := c.WatchOOM()
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	if n, err := watch.Wait(0); n != 0 || err != nil {
		t.Errorf("before: %d, %v", n, err)
	}
	cmd := process(t, c, true, "x=0123456789abcdef; while :; do x=$x$x; done")
	if n, err := watch.Wait(time.Minute); n == 0 || err != nil {
		t.Errorf("told %d, %v", n, err)
	}
	_ = cmd.Wait()
	if n, err := c.OOMKills(); err != nil || n == 0 {
		t.Errorf("counted %d, %v", n, err)
	}
	if err := c.Delete(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := watch.Wait(time.Minute); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("after: %v", err)
			}
			return
		}
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

// opens says what reading a device answers to a process in c.
func opens(t *testing.T, c Cgroup, device string) bool {
	t.Helper()
	cmd := process(t, c, true, "exec 3<"+device)
	return cmd.Wait() == nil
}

func TestDeviceRulesHoldAndAreReplaced(t *testing.T) {
	h := realHost(t)
	all := created(t, h)
	cgroups := map[string]Cgroup{"chosen": all}
	if unified, ok := all.Paths()[""]; ok {
		cgroups["program"] = &v2{path: unified} // on hybrid hosts too
	}
	null, urandom := int64(3), int64(9)
	rule := func(minor *int64) []specs.LinuxDeviceCgroup {
		return []specs.LinuxDeviceCgroup{{Allow: true, Type: "c", Major: ptr[int64](1), Minor: minor, Access: "rw"}}
	}
	for name, c := range cgroups {
		for _, tt := range []struct {
			rules         []specs.LinuxDeviceCgroup
			null, urandom bool
		}{
			{rule(&null), true, false},
			{rule(&urandom), false, true},
			{append(rule(&null), rule(&urandom)...), true, true},
			{nil, false, false},
			{[]specs.LinuxDeviceCgroup{{Allow: true}}, true, true},
			{append([]specs.LinuxDeviceCgroup{{Allow: true}}, specs.LinuxDeviceCgroup{Type: "c", Major: ptr[int64](1), Minor: &null}), false, true},
		} {
			if err := c.SetDevices(tt.rules); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := opens(t, all, "/dev/null"); got != tt.null {
				t.Errorf("%s: %+v: null opens: %v", name, tt.rules, got)
			}
			if got := opens(t, all, "/dev/urandom"); got != tt.urandom {
				t.Errorf("%s: %+v: urandom opens: %v", name, tt.rules, got)
			}
		}
		if err := c.SetDevices([]specs.LinuxDeviceCgroup{{Allow: true}}); err != nil {
			t.Fatal(err)
		}
	}
	if c, ok := cgroups["program"]; ok {
		d, err := openDir(c.Paths()[""])
		if err != nil {
			t.Fatal(err)
		}
		defer d.close()
		own, err := ownPrograms(d)
		if err != nil || len(own) != 1 {
			t.Errorf("%d programs are attached, %v; want 1", len(own), err)
		}
		for _, fd := range own {
			_ = unix.Close(fd)
		}
	}
}
