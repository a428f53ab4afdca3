package tests

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
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
	if s.ID != b.id || s.Bundle != b.bundle || s.Rootfs != b.rootfs || s.Owner != "root" || s.Annotations["org.example.key"] != "value" {
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

func TestRunPassesTheExitCodeOn(t *testing.T) {
	for _, code := range []int{0, 1, 7, 126, 127, 255} {
		b := newBox(t, runProbe("exit", strconv.Itoa(code)))
		if r := b.run(); r.code != code {
			t.Errorf("want exit code %d: %s", code, r)
		}
		b.wantNothingLeft()
	}
}

func TestRunExitsWith128PlusTheSignal(t *testing.T) {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL, unix.SIGUSR1} {
		b := newBox(t, withoutNamespace(specs.PIDNamespace), runProbe("raise", strconv.Itoa(int(sig))))
		if r := b.run(); r.code != signalled(sig) {
			t.Errorf("want exit code %d: %s", signalled(sig), r)
		}
		b.wantNothingLeft()
	}
}

func TestRunForwardsSignals(t *testing.T) {
	b := newBox(t, runProbe("trap", "1", "2", "10", "12", ",", "leave", "15", "42", ",", "say", "ready", ",", "pause"))
	l := b.live("run", "--bundle", b.bundle, b.id)
	l.want("ready")
	for _, sig := range []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGUSR1, unix.SIGUSR2} {
		b.check(l.cmd.Process.Signal(sig))
		l.want(fmt.Sprintf("signal %d", sig))
	}
	b.check(l.cmd.Process.Signal(unix.SIGTERM))
	if r := l.wait(); r.code != 42 {
		t.Errorf("want the exit code that the program chose at SIGTERM, 42: %s", r)
	}
	b.wantNothingLeft()
}

func TestRunDetachedLeavesTheContainerRunning(t *testing.T) {
	b := newBox(t, runProbe("say", "ready", ",", "line", ",", "say", "end"))
	pidFile := b.path("pid")
	l := b.live("run", "--detach", "--pid-file", pidFile, "--bundle", b.bundle, b.id)
	if r := l.wait(); r.code != 0 {
		t.Fatal(r)
	}
	l.want("ready")
	s := b.state()
	if s.Status != "running" || b.read(pidFile) != strconv.Itoa(s.Pid) {
		t.Errorf("the status is %s; pid %d, in the file %q", s.Status, s.Pid, b.read(pidFile))
	}
	if _, err := l.stdin.WriteString("go\n"); err != nil {
		t.Fatal(err)
	}
	l.want("line go", "end")
	b.ended(s.Pid)
	b.wantStatus("stopped")
	b.must("delete", b.id)
	b.wantNothingLeft()
}

func TestRunKeepLeavesTheStoppedContainer(t *testing.T) {
	b := newBox(t, runProbe("exit", "3"))
	if r := b.run("--keep"); r.code != 3 {
		t.Fatal(r)
	}
	b.wantStatus("stopped")
	b.must("delete", b.id)
	b.wantNothingLeft()
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
		if path != "/"+b.id && !strings.HasPrefix(line, "0::") {
			t.Errorf("created, but in %q", line)
		}
	}
}

func TestKillSendsSignalsByNameAndNumber(t *testing.T) {
	b := newBox(t, runProbe("trap", "1", "15", "10", "34", ",", "say", "ready", ",", "pause"))
	l := b.start()
	l.want("ready")
	for _, c := range []struct{ word, line string }{
		{"HUP", "signal 1"}, {"SIGHUP", "signal 1"}, {"1", "signal 1"}, {"usr1", "signal 10"}, {"sigusr1", "signal 10"}, {"TERM", "signal 15"},
	} {
		b.must("kill", b.id, c.word)
		l.want(c.line)
	}
	b.must("kill", b.id)
	l.want("signal 15")
	b.must("kill", b.id, "KILL")
	l.rest()
}

func TestKillRefusesWhatIsNoSignal(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	b.start()
	for _, word := range []string{"NOPE", "SIGNOPE", "-1", "65", "1x"} {
		b.refuse(1, []string{"signal"}, "kill", "--", b.id, word)
	}
	b.wantStatus("running")
}

func TestKillReachesACreatedContainer(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	b.create()
	pid := b.state().Pid
	b.must("kill", b.id, "KILL")
	b.ended(pid)
	b.wantStatus("stopped")
}

func TestKillAllReachesEveryProcess(t *testing.T) {
	for _, own := range []bool{true, false} {
		t.Run(fmt.Sprintf("own pid namespace %t", own), func(t *testing.T) {
			b := newBox(t, runProbe("orphans", "3", ",", "fork", "3", ",", "pause"))
			if !own {
				b.edit(withoutNamespace(specs.PIDNamespace))
			}
			l := b.start()
			l.want("forked 3")
			b.must("kill", "--all", b.id, "KILL")
			l.rest() // ends when all of them have
			b.waitStopped()
			b.wantStatus("stopped")
			b.must("delete", b.id)
			b.wantNothingLeft()
		})
	}
}

func TestKillRefusesAStoppedContainer(t *testing.T) {
	b := newBox(t, runProbe())
	b.start()
	b.waitStopped()
	b.refuse(1, []string{"container not running"}, "kill", b.id, "TERM")
}

func TestDeleteRefusesARunningContainer(t *testing.T) {
	b := newBox(t, runProbe("say", "ready", ",", "pause"))
	b.start().want("ready")
	b.refuse(1, []string{"not stopped", "running"}, "delete", b.id)
	b.wantStatus("running")
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}

func TestDeleteForceRemovesWhateverThereIs(t *testing.T) {
	for name, prepare := range map[string]func(*box){
		"created": func(b *box) { b.create() },
		"running": func(b *box) { b.start() },
		"paused":  func(b *box) { b.start(); b.must("pause", b.id) },
		"stopped": func(b *box) { b.edit(runProbe()); b.start(); b.waitStopped() },
		"nothing": func(*box) {},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, runProbe("ignore", "15", ",", "orphans", "2", ",", "pause"))
			prepare(b)
			b.must("delete", "--force", b.id)
			b.wantNothingLeft()
		})
	}
}

func TestDeleteEndsProcessesThatOutliveTheInit(t *testing.T) {
	b := newBox(t, withoutNamespace(specs.PIDNamespace), runProbe("orphans", "3", ",", "say", "ready"))
	l := b.start()
	l.want("ready")
	b.waitStopped()
	b.must("delete", b.id)
	l.rest()
	b.wantNothingLeft()
}

func TestRunEndsProcessesThatOutliveTheInit(t *testing.T) {
	b := newBox(t, withoutNamespace(specs.PIDNamespace), runProbe("orphans", "3", ",", "exit", "4"))
	if r := b.run(); r.code != 4 {
		t.Error(r)
	}
	b.wantNothingLeft()
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

func TestProgramMayIgnoreSIGTERMButNotSIGKILL(t *testing.T) {
	b := newBox(t, runProbe("ignore", "15", ",", "say", "ready", ",", "line", ",", "say", "alive", ",", "pause"))
	l := b.live("run", "--bundle", b.bundle, b.id)
	l.want("ready")
	b.must("kill", b.id, "TERM")
	if _, err := l.stdin.WriteString("on\n"); err != nil {
		t.Fatal(err)
	}
	l.want("line on", "alive")
	b.wantStatus("running")
	b.must("kill", b.id, "KILL")
	if r := l.wait(); r.code != signalled(unix.SIGKILL) {
		t.Error(r)
	}
	b.wantNothingLeft()
}

func TestDeleteRefusesACreatedContainer(t *testing.T) {
	b := newBox(t)
	b.create()
	b.refuse(1, []string{"not stopped", "created"}, "delete", b.id)
	b.wantStatus("created")
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
