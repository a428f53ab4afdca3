package tests

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

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
	needRoot(t, "the host's processes are seen in a procfs of the host's user namespace")
	b := newBox(t, withoutNamespace(specs.PIDNamespace), runProbe("orphans", "3", ",", "say", "ready"))
	l := b.start()
	l.want("ready")
	b.waitStopped()
	b.must("delete", b.id)
	l.rest()
	b.wantNothingLeft()
}

func TestDeleteRefusesACreatedContainer(t *testing.T) {
	b := newBox(t)
	b.create()
	b.refuse(1, []string{"not stopped", "created"}, "delete", b.id)
	b.wantStatus("created")
}

// unreaping puts hull where nobody reaps what loses its parent, as in many a container of a CI.
func (b *box) unreaping() {
	b.t.Helper()
	init := exec.Command("sh", "-c", "mount --make-rprivate / && mount -t proc proc /proc && echo ready && exec sleep 1000")
	init.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
	l := b.startLive(init)
	l.want("ready")
	b.t.Cleanup(func() { b.wrapper = nil }) // what cleans up comes after its end
	b.wrapper = []string{"nsenter", "-t", fmt.Sprint(init.Process.Pid), "-p", "-m", "--"}
}

// The first process of a pid namespace cannot come to its end while a zombie in it waits
// for a parent outside: nothing is left of either but their numbers. pid_namespaces(7)
func TestZombiesThatNobodyReapsHoldNothingUp(t *testing.T) {
	needRoot(t, "it makes a pid namespace")
	needNumbers(t)
	for name, stop := range map[string]func(*box){
		"delete --force": func(*box) {},
		"kill": func(b *box) {
			b.must("kill", b.id, "KILL")
			b.becomes("stopped")
			b.refuse(1, []string{"not running"}, "kill", b.id, "KILL")
			b.must("delete", b.id)
		},
		"events": func(b *box) {
			l := b.live("events", "--interval", "10ms", b.id)
			l.line() // the first stats: the events are being watched
			b.must("kill", b.id, "KILL")
			l.rest()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, runProbe("pause"))
			b.unreaping()
			b.must("run", "--detach", "--bundle", b.bundle, b.id)
			b.must("exec", "--detach", b.id, "/bin/probe", "pause")
			stop(b)
			b.must("delete", "--force", b.id)
			b.wantNothingLeft()
		})
	}
}
