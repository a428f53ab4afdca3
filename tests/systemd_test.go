package tests

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// needSystemd skips the test where systemd(1) does not run the host, sd_booted(3).
func needSystemd(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/run/systemd/system"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("systemd does not run this host")
	}
}

// managed is a box whose cgroup systemd makes, with a program that waits.
func managed(t *testing.T, edits ...edit) *box {
	t.Helper()
	needSystemd(t)
	b := newBox(t, append([]edit{runProbe("pause")}, edits...)...)
	b.global = []string{"--systemd-cgroup"}
	return b.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = ":hull:" + b.id })
}

// unit is the name of the box's scope.
func (b *box) unit() string { return "hull-" + b.id + ".scope" }

// systemctl asks the systemd that is to manage the cgroups: the user's own for users.
func systemctl(args ...string) *exec.Cmd {
	if byUser {
		args = append([]string{"--user"}, args...)
	}
	return exec.Command("systemctl", args...)
}

// property is a property of the box's scope as systemd tells it.
func (b *box) property(name string) string {
	b.t.Helper()
	out, err := systemctl("show", "--value", "-p", name, b.unit()).Output()
	b.check(err)
	return strings.TrimSpace(string(out))
}

// wantCgroup asserts that the process is in the box's scope, or below in sub, in all hierarchies.
func (b *box) wantCgroup(pid int, sub string) {
	b.t.Helper()
	want := cgroupBelow(":hull:"+b.id) + sub
	for line := range strings.Lines(b.read(fmt.Sprintf("/proc/%d/cgroup", pid))) {
		if got := strings.SplitN(strings.TrimSpace(line), ":", 3)[2]; got != want {
			b.t.Errorf("process %d is in %s, want %s", pid, got, want)
		}
	}
}

// execPid runs pause in the container and returns its process.
func (b *box) execPid(flags ...string) int {
	b.t.Helper()
	args := append(append([]string{"exec", "--detach", "--pid-file", b.path("exec.pid")}, flags...), b.id, "/bin/probe", "pause")
	if r := b.live(args...).wait(); r.code != 0 {
		b.t.Fatal(r)
	}
	var pid int
	_, err := fmt.Sscan(b.read(b.path("exec.pid")), &pid)
	b.check(err)
	return pid
}

func TestSystemdIsMissedOnlyByWhatNeedsIt(t *testing.T) {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		t.Skip("systemd runs this host")
	}
	b := newBox(t, func(s *specs.Spec) { s.Linux.CgroupsPath = "system.slice:hull:none" })
	b.global = []string{"--systemd-cgroup"}
	b.run().expect(b, 1, "--systemd-cgroup: systemd does not run this host")
	b.wantNothingLeft()
	b.must("list") // engines give the flag to every command
}

func TestScopeIsMadeWithTheContainerAndGoesWithIt(t *testing.T) {
	b := managed(t, resources(func(r *specs.LinuxResources) {
		r.Pids = &specs.LinuxPids{Limit: new(int64(33))}
		r.Memory = &specs.LinuxMemory{Limit: new(int64(64 << 20))}
	}))
	b.create()
	pid := b.state().Pid
	b.wantCgroup(pid, "")
	for name, want := range map[string]string{"ActiveState": "active", "Delegate": "yes", "TasksMax": "33", "MemoryMax": fmt.Sprint(64 << 20), "Slice": filepath.Base(filepath.Dir(cgroupBelow(b.spec.Linux.CgroupsPath)))} {
		if got := b.property(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	b.wantFile("pids.max", "33")
	b.must("start", b.id)
	b.wantCgroup(b.execPid(), "")
	b.must("delete", "--force", b.id)
	b.wantNothingLeft() // looks for the unit, too
}

func TestScopeOfAProgramThatEndsIsGoneAfterRun(t *testing.T) {
	b := managed(t, runProbe("exit", "7"))
	if r := b.run(); r.code != 7 {
		t.Error(r)
	}
	b.wantNothingLeft()
}

func TestUpdateIsToldToSystemd(t *testing.T) {
	b := managed(t)
	b.start()
	b.must("update", "--pids-limit", "44", "--memory", "67108864", "--memory-swap", "67108864", "--cpu-quota", "30000", "--cpu-period", "100000", b.id)
	out, err := systemctl("daemon-reload").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.wantFile("pids.max", "44")
	for name, want := range map[string]string{"TasksMax": "44", "MemoryMax": "67108864", "CPUQuotaPerSecUSec": "300ms"} {
		if got := b.property(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestAnnotationsArePropertiesOfTheScope(t *testing.T) {
	b := managed(t, func(s *specs.Spec) {
		s.Annotations = map[string]string{"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.Description": "'a box'"}
	})
	b.create()
	for name, want := range map[string]string{"TimeoutStopUSec": "7s", "Description": "a box"} {
		if got := b.property(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestWhatSystemdRefusesIsSaidAndLeavesNothing(t *testing.T) {
	for annotation, words := range map[string][]string{
		"NoSuchThing": {"linux.cgroupsPath", "NoSuchThing"},
		"x1":          {"annotations (org.systemd.property.x1)"},
	} {
		b := managed(t, func(s *specs.Spec) { s.Annotations = map[string]string{"org.systemd.property." + annotation: "5"} })
		b.run().expect(b, 1, words...)
		b.wantNothingLeft()
	}
	for path, word := range map[string]string{"/a/b": "slice:prefix:name", "a:b:c": "slice", "a.slice:b:": "slice:prefix:name"} {
		b := managed(t)
		b.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = path })
		b.run().expect(b, 1, "linux.cgroupsPath", word)
		b.wantNothingLeft()
	}
}

func TestScopeOfAnotherContainerIsNotTaken(t *testing.T) {
	first := managed(t)
	first.start()
	b := managed(t)
	b.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = first.spec.Linux.CgroupsPath })
	b.run().expect(b, 1, first.unit())
	first.wantStatus("running")
	if got := first.property("ActiveState"); got != "active" {
		t.Errorf("the scope is %s", got)
	}
	b.must("delete", "--force", b.id)
	first.wantStatus("running")
}

// A container that manages its cgroup has moved its processes below: there are
// no processes beside controllers, cgroups(7), so exec has to go there as well.
func TestExecGoesWhereTheContainersProcessIs(t *testing.T) {
	needV2(t)
	for _, global := range [][]string{nil, {"--systemd-cgroup"}} {
		t.Run(strings.Join(append([]string{"hull"}, global...), " "), func(t *testing.T) {
			b := newBox(t, runProbe("pause"))
			if b.global = global; global != nil {
				needSystemd(t)
				b.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = ":hull:" + b.id })
			} else {
				b.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = filepath.Join("/", delegated(), b.id) })
			}
			b.start()
			dir := b.cgroupDir("")
			b.check(os.Mkdir(filepath.Join(dir, "init"), 0o755))
			b.check(os.WriteFile(filepath.Join(dir, "init/cgroup.procs"), fmt.Append(nil, b.state().Pid), 0))
			b.check(os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+pids"), 0))
			pid := b.execPid()
			if got, want := b.read(fmt.Sprintf("/proc/%d/cgroup", pid)), b.read(fmt.Sprintf("/proc/%d/cgroup", b.state().Pid)); got != want {
				t.Errorf("exec is in %s, the container's process in %s", got, want)
			}
		})
	}
}

// onV2 says whether cgroup v2 carries the resource controllers.
func onV2() bool {
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	return err == nil
}

// needV2 skips the test where cgroup v2 does not carry the resource controllers.
func needV2(t *testing.T) {
	t.Helper()
	if !onV2() {
		t.Skip("this host is not on cgroup v2")
	}
}

func TestScopeIsFoundThoughTheRecordIsDamaged(t *testing.T) {
	for name, path := range map[string]string{"named": ":hull:%s", "default": ""} {
		t.Run(name, func(t *testing.T) {
			b := managed(t)
			if path != "" {
				path = fmt.Sprintf(path, b.id)
			}
			b.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = path }).start()
			b.check(os.WriteFile(filepath.Join(b.root, b.id, "state.json"), []byte("{"), 0o600))
			b.must("delete", "--force", b.id)
			b.wantNothingLeft()
		})
	}
}
