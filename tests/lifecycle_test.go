package tests

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestContainerPassesThroughItsStatuses(t *testing.T) {
	b := newBox(t, runProbe("say", "here", ",", "line"))
	l := b.create()
	b.wantStatus("created")
	b.must("start", b.id)
	l.want("here")
	b.wantStatus("running")
	pid := b.state().Pid
	l.stdin.Close()
	b.ended(pid)
	if s := b.state(); s.Status != "stopped" || s.Pid != 0 {
		t.Errorf("after the program's end the state is %s with pid %d, want stopped with pid 0", s.Status, s.Pid)
	}
	b.must("delete", b.id)
	b.refuse(1, []string{"does not exist"}, "state", b.id)
	b.wantNothingLeft()
}

func TestStateTellsWhatTheSpecAsksFor(t *testing.T) {
	before := time.Now().Add(-time.Second)
	b := newBox(t, runProbe("pause"), func(s *specs.Spec) { s.Annotations = map[string]string{"org.example.key": "value"} })
	b.create()
	s := b.state()
	if s.ID != b.id || s.Bundle != b.bundle || s.Rootfs != b.rootfs || s.Owner != ownName || s.Annotations["org.example.key"] != "value" {
		t.Errorf("the state is %+v", s)
	}
	if s.OCIVersion == "" || s.Created.Before(before) || s.Created.After(time.Now()) {
		t.Errorf("ociVersion %q, created %s", s.OCIVersion, s.Created)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", s.Pid)); err != nil {
		t.Errorf("pid is not that of a process: %v", err)
	}
	b.must("start", b.id)
	if after := b.state(); after.Pid != s.Pid || !after.Created.Equal(s.Created) {
		t.Errorf("start changed pid %d to %d, created %s to %s", s.Pid, after.Pid, s.Created, after.Created)
	}
}

func TestCreateDoesNotRunTheProgram(t *testing.T) {
	b := newBox(t, runProbe("open", "/mnt/ran", "wc"))
	dir := b.path("seen")
	b.check(os.Mkdir(dir, 0o755))
	l := b.edit(bind(dir)).create()
	if _, err := os.Stat(dir + "/ran"); err == nil {
		t.Error("the program ran before start")
	}
	b.must("start", b.id)
	l.rest()
	if _, err := os.Stat(dir + "/ran"); err != nil {
		t.Errorf("the program did not run at start: %v", err)
	}
}

func TestCreateWritesThePidFileInOnePiece(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	dir := b.path("pids")
	b.check(os.Mkdir(dir, 0o755))
	b.create("--pid-file", dir+"/init.pid")
	if got, want := b.read(dir+"/init.pid"), strconv.Itoa(b.state().Pid); got != want {
		t.Errorf("the pid file says %q, want %q", got, want)
	}
	entries, err := os.ReadDir(dir)
	b.check(err)
	if len(entries) != 1 {
		t.Errorf("beside the pid file there are %v", entries)
	}
}

func TestProcessIsInItsCgroupAfterCreate(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	b.create()
	for line := range strings.Lines(b.read(fmt.Sprintf("/proc/%d/cgroup", b.state().Pid))) {
		path := strings.SplitN(strings.TrimSpace(line), ":", 3)[2]
		if path != cgroupBelow(b.spec.Linux.CgroupsPath) && (onV2() || !strings.HasPrefix(line, "0::")) {
			t.Errorf("created, but in %q", line)
		}
	}
}

func TestStartRefusesWhatIsNotCreated(t *testing.T) {
	b := newBox(t, runProbe("say", "ready", ",", "line"))
	l := b.start()
	l.want("ready")
	pid := b.state().Pid
	b.refuse(1, []string{"running"}, "start", b.id)
	l.stdin.Close()
	b.ended(pid)
	b.refuse(1, []string{"stopped"}, "start", b.id)
}

func TestOrphansAreTheInitsChildren(t *testing.T) {
	b := newBox(t, runProbe("orphans", "2", ",", "say", "ready", ",", "pause"))
	b.start().want("ready")
	out := b.must("exec", b.id, "/bin/sh", "-c", "for p in /proc/[0-9]*; do cat $p/stat; done").stdout
	orphans := 0
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 3 && f[1] == "(probe)" && f[3] == "1" {
			orphans++
		}
	}
	if orphans != 2 {
		t.Errorf("%d processes with parent 1, want 2:\n%s", orphans, out)
	}
}

func TestTenContainersLiveAtOnce(t *testing.T) {
	var boxes []*box
	var lives []*live
	for i := range 10 {
		b := newBox(t, runProbe("say", fmt.Sprintf("box %d", i), ",", "line", ",", "exit", strconv.Itoa(i)))
		boxes = append(boxes, b)
		lives = append(lives, b.live("run", "--bundle", b.bundle, b.id))
	}
	for i, l := range lives {
		l.want(fmt.Sprintf("box %d", i))
		boxes[i].wantStatus("running")
	}
	for i, l := range lives {
		l.stdin.Close()
		if r := l.wait(); r.code != i {
			t.Errorf("want exit code %d: %s", i, r)
		}
		boxes[i].wantNothingLeft()
	}
}

// A container that could open the runtime's executable could write to it: CVE-2019-5736.
func TestHullsExecutableIsOutOfReach(t *testing.T) {
	b := newBox(t)
	b.create()
	dir := fmt.Sprintf("/proc/%d/", b.state().Pid)
	exe, err := os.Readlink(dir + "exe")
	b.check(err)
	if !strings.HasPrefix(exe, "/memfd:") || strings.Contains(b.read(dir+"maps"), hullPath) {
		t.Errorf("the waiting process is %s with the maps\n%s", exe, b.read(dir+"maps"))
	}
	if f, err := os.OpenFile(dir+"exe", os.O_WRONLY, 0); err == nil {
		f.Close()
		t.Error("its executable can be opened for writing")
	}
}

func TestInitThatDiesAtOnceLeavesAStoppedContainer(t *testing.T) {
	b := newBox(t, args("/bin/false"))
	b.start().rest()
	b.waitStopped()
	b.wantStatus("stopped")
	b.must("delete", b.id)
	b.wantNothingLeft()
}

// waitStopped waits for the end of the container's init.
func (b *box) waitStopped() {
	b.t.Helper()
	if pid := b.state().Pid; pid > 0 {
		b.ended(pid)
	}
}

func TestDamagedStateIsSaidAndRemovedWithEverything(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	b.start()
	file := filepath.Join(b.root, b.id, "state.json")
	whole := b.read(file)
	b.must("delete", "--force", b.id)
	texts := []string{"garbage", `{"id":7}`, "null", "{}", "[]", strings.Repeat("[", 100000), strings.Repeat("\x00", len(whole)), `{"id":"other"}`, "missing"}
	for n := 0; n < len(whole); n += len(whole)/10 + 1 {
		texts = append(texts, whole[:n])
	}
	for _, text := range texts {
		b.start()
		pid := b.state().Pid
		b.check(os.WriteFile(file, []byte(text), 0o600))
		if text == "missing" {
			b.check(os.Remove(file))
		}
		b.refuse(1, []string{"state is damaged", "delete --force"}, "state", b.id)
		b.must("list")
		b.must("delete", "--force", b.id)
		b.ended(pid)
		b.wantNothingLeft()
	}
}

// The program may have ended, and been reaped, before start has looked at it again.
func TestStartOfAProgramThatEndsAtOnceSucceeds(t *testing.T) {
	needRoot(t, "it makes namespaces outside a user namespace")
	needNumbers(t)
	b := newBox(t, shell("exit 3"))
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skipf("%v: it makes start slow", err)
	}
	// In a pid namespace of its own: sh, its first process, reaps everything.
	hull := strings.Join(append([]string{b.binary, "--root", b.root}, b.global...), " ")
	script := fmt.Sprintf("%s create --bundle %s %s >&2 && strace -f -qq -o /dev/null -e inject=pidfd_open:delay_enter=300000 %s start %s",
		hull, b.bundle, b.id, hull, b.id)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b.finish(ctx, exec.CommandContext(ctx, "unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script)).expect(b, 0)
}
