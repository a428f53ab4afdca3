package tests

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Until the user's program runs, the container's process belongs to the host's
// user namespace as far as ptrace(2) is concerned. The ordinary user who made
// it, and the hooks, reach it all the same: letOwnerJoin.

func TestOrdinaryUsersHooksReachTheContainer(t *testing.T) {
	b := ordinary(t, false, runProbe("say", "ran"))
	reach := `pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p'); readlink /proc/$pid/ns/uts > $DIR/$KIND`
	for kind, commands := range map[string]string{
		"prestart": reach, "createRuntime": reach,
		"createContainer": "readlink /proc/self/ns/uts > $DIR/$KIND", "startContainer": "busybox readlink /proc/self/ns/uts > $DIR/$KIND",
	} {
		b.edit(b.script(kind, commands))
	}
	b.edit(b.logged()).wantOutput("ran")
	theirs := b.read(b.path("log", "prestart"))
	if strings.TrimSpace(theirs) == hostNamespace(t, "uts") {
		t.Errorf("prestart is told of a process in the host's namespaces")
	}
	for _, kind := range hookKinds[:4] {
		if got := b.read(b.path("log", kind)); got != theirs {
			t.Errorf("%s finds %q, prestart %q", kind, got, theirs)
		}
	}
	b.wantNothingLeft()
}

func TestOrdinaryUserCanExecBeforeStart(t *testing.T) {
	b := ordinary(t, false, runProbe("pause"))
	b.create()
	if out := b.must("exec", b.id, "/bin/probe", "say", "early").stdout; out != "early\n" {
		t.Errorf("got %q", out)
	}
}

func TestOrdinaryUsersProgramHasItsOOMScore(t *testing.T) {
	b := ordinary(t, false, shell("cat /proc/self/oom_score_adj"), process(func(p *specs.Process) { p.OOMScoreAdj = new(321) }))
	b.wantOutput("321")
}

func TestOrdinaryUsersExecHasItsOOMScore(t *testing.T) {
	b := ordinary(t, false, runProbe("pause"), process(func(p *specs.Process) { p.OOMScoreAdj = new(321) }))
	b.create()
	b.must("start", b.id)
	if out := b.must("exec", b.id, "/bin/cat", "/proc/self/oom_score_adj").stdout; out != "321\n" {
		t.Errorf("oom_score_adj is %q", out)
	}
	p := specs.Process{Args: []string{"/bin/cat", "/proc/self/oom_score_adj"}, Cwd: "/", OOMScoreAdj: new(400)}
	data, err := json.Marshal(p)
	b.check(err)
	if out := b.must("exec", "--process", b.file("process.json", string(data)), b.id).stdout; out != "400\n" {
		t.Errorf("with a file it is %q", out)
	}
}
