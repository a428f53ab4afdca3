package cgroups

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// shown are properties of c's unit.
func shown(t *testing.T, c Cgroup, names ...string) map[string]string {
	t.Helper()
	args := []string{"show", unitOf(c.Paths()).name, "-p", strings.Join(names, ",")}
	if os.Geteuid() != 0 {
		args = append(args, "--user")
	}
	out, err := exec.Command("systemctl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	shown := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		shown[name] = value
	}
	return shown
}

func TestScopeHasTheProcessAndTheLimits(t *testing.T) {
	r := &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: new(int64(64 << 20)), Swap: new(int64(96 << 20))},
		Pids:   &specs.LinuxPids{Limit: new(int64(33))},
		CPU:    &specs.LinuxCPU{Shares: new(uint64(512)), Quota: new(int64(20000)), Period: new(uint64(50000))},
	}
	c, pid := managed(t, "", r, Options{Annotations: map[string]string{"org.systemd.property.CollectMode": "'inactive-or-failed'"}})
	if err := c.Set(r); err != nil {
		t.Fatal(err)
	}
	if pids, err := c.Pids(); err != nil || !slices.Equal(pids, []int{pid}) {
		t.Errorf("processes: %v, %v; want %d", pids, err, pid)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for controller, path := range parseOwn(string(text)) {
		if want, ok := c.Paths()[controller]; ok && !strings.HasSuffix(want, path) {
			t.Errorf("controller %q: the process is in %s, the cgroup at %s", controller, path, want)
		}
	}
	got := shown(t, c, "Delegate", "TasksMax", "CollectMode", "ActiveState", "CPUQuotaPerSecUSec")
	want := map[string]string{"Delegate": "yes", "TasksMax": "33", "CollectMode": "inactive-or-failed", "ActiveState": "active", "CPUQuotaPerSecUSec": "400ms"}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s is %q, want %q", name, got[name], want[name])
		}
	}
	for file, value := range map[string]string{"pids.max": "33"} {
		if got := content(t, c, "pids", file); got != value {
			t.Errorf("%s is %s, want %s", file, got, value)
		}
	}
}

func TestLimitsOutliveAReloadOfSystemd(t *testing.T) {
	c, _ := managed(t, "", nil, Options{})
	r := &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: new(int64(64 << 20))},
		Pids:   &specs.LinuxPids{Limit: new(int64(44))},
		CPU:    &specs.LinuxCPU{Quota: new(int64(30000)), Shares: new(uint64(256))},
	}
	again := Load(c.Paths(), Options{Systemd: true, Rootless: os.Geteuid() != 0})
	if err := again.Set(r); err != nil {
		t.Fatal(err)
	}
	if err := again.Set(&specs.LinuxResources{CPU: &specs.LinuxCPU{Period: new(uint64(60000))}}); err != nil {
		t.Fatal(err)
	}
	files := []string{"pids.max"}
	if _, v1 := c.Paths()["memory"]; v1 {
		files = append(files, "memory.limit_in_bytes", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares")
	} else {
		files = append(files, "memory.max", "cpu.max", "cpu.weight")
	}
	var before []string
	for _, file := range files {
		before = append(before, content(t, c, strings.Split(file, ".")[0], file))
	}
	reload := []string{"daemon-reload"}
	if os.Geteuid() != 0 {
		reload = append(reload, "--user")
	}
	if out, err := exec.Command("systemctl", reload...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for i, file := range files {
		if got := content(t, c, strings.Split(file, ".")[0], file); got != before[i] {
			t.Errorf("%s is %s, was %s", file, got, before[i])
		}
	}
	if got := content(t, c, "pids", "pids.max"); got != "44" {
		t.Errorf("pids.max is %s", got)
	}
}

func TestFurtherProcessesJoinAScope(t *testing.T) {
	c, _ := managed(t, "", nil, Options{})
	again := Load(c.Paths(), Options{Systemd: true, Rootless: os.Geteuid() != 0})
	var pid int
	if again.Direct() {
		pid = process(t, again, true, "exec sleep 1000").Process.Pid
	} else {
		pid = process(t, Disabled(), false, "exec sleep 1000").Process.Pid
		if err := again.Place(pid, nil); err != nil {
			t.Fatal(err)
		}
	}
	if pids, err := c.Pids(); err != nil || !slices.Contains(pids, pid) || len(pids) != 2 {
		t.Errorf("processes: %v, %v; want %d and another", pids, err, pid)
	}
	placed := process(t, Disabled(), false, "exec sleep 1000").Process.Pid
	if err := again.Place(placed, nil); err != nil {
		t.Fatal(err)
	}
	if pids, err := c.Pids(); err != nil || !slices.Contains(pids, placed) {
		t.Errorf("processes: %v, %v; want %d too", pids, err, placed)
	}
}

func TestScopeOfARunningContainerIsNotTaken(t *testing.T) {
	c, pid := managed(t, "", nil, Options{})
	h, err := Detect()
	if err != nil {
		t.Fatal(err)
	}
	same, err := h.New("", "hull-test-"+t.Name(), Options{Systemd: true, Rootless: os.Geteuid() != 0})
	if err != nil {
		t.Fatal(err)
	}
	if err := same.Check(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("the cgroup exists and has processes, such as %d", pid)) {
		t.Errorf("got %v", err)
	}
	_ = c
}

func TestScopeInASliceThatSystemdHasToMake(t *testing.T) {
	slice := fmt.Sprintf("hulltest-a%d.slice", os.Getpid())
	c, _ := managed(t, slice+":p:c", nil, Options{})
	for _, path := range c.Paths() {
		if !strings.HasSuffix(path, "/hulltest.slice/"+slice+"/p-c.scope") {
			t.Errorf("it is at %s", path)
		}
	}
	t.Cleanup(func() { // systemd keeps slices
		args := []string{"stop", "hulltest.slice"}
		if os.Geteuid() != 0 {
			args = append(args, "--user")
		}
		_ = exec.Command("systemctl", args...).Run()
	})
}

func TestUnknownPropertyIsAnErrorAndLeavesNothing(t *testing.T) {
	if !exists("/run/systemd/system") {
		t.Skip("systemd does not run this host")
	}
	h, err := Detect()
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.New("", "hull-test-"+t.Name(), Options{
		Systemd: true, Rootless: os.Geteuid() != 0, Annotations: map[string]string{"org.systemd.property.NoSuchThing": "5"},
	})
	if err != nil {
		t.Fatal(err)
	}
	pid := process(t, Disabled(), false, "exec sleep 1000").Process.Pid
	err = c.Place(pid, nil)
	if err == nil || !strings.Contains(err.Error(), "NoSuchThing") || !strings.HasPrefix(err.Error(), "linux.cgroupsPath (unit hull-hull-test-") {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(c.Kill(), c.Delete()); err != nil {
		t.Error(err)
	}
	for _, path := range c.Paths() {
		if exists(path) {
			t.Errorf("%s is left", path)
		}
	}
}
