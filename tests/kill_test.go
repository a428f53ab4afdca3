package tests

import (
	"fmt"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

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
	needRoot(t, "the host's processes are seen in a procfs of the host's user namespace")
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
