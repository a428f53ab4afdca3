package tests

import (
	"fmt"
	"os/signal"
	"strconv"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

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
	needRoot(t, "the host's processes are seen in a procfs of the host's user namespace")
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
		if signal.Ignored(sig) { // by nohup(1), which hull is to obey as well
			continue
		}
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

func TestRunEndsProcessesThatOutliveTheInit(t *testing.T) {
	needRoot(t, "the host's processes are seen in a procfs of the host's user namespace")
	b := newBox(t, withoutNamespace(specs.PIDNamespace), runProbe("orphans", "3", ",", "exit", "4"))
	if r := b.run(); r.code != 4 {
		t.Error(r)
	}
	b.wantNothingLeft()
}
