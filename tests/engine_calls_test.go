package tests

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// step is a command line of an engine after the runtime's name, and what is right of it: $B is
// the bundle, $ID the container, $D another directory. The empty line waits for the container's end.
type step struct {
	line string
	code int
	want string // an expression for all that it prints to either stream
}

// What engines read from standard input or a file, where their calls name one.
const (
	callResources = `{"pids": {"limit": 50}}`
	callProcess   = `{"args": ["/bin/probe", "exit", "3"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}`
)

const (
	statusIs = `(?s)^\{.*"status": ?"`
	pids     = `^\[\d+(,\d+)*\]\n?$`
)

// engineLives are a container's life in the words of each engine, global options first.
var engineLives = map[string][]step{
	"containerd and dockerd": {
		{line: "--log $B/log.json --log-format json create --bundle $B --pid-file $B/init.pid --no-pivot --no-new-keyring $ID"},
		{line: "--log $B/log.json --log-format json state $ID", want: statusIs + `created"`},
		{line: "--log $B/log.json --log-format json start $ID"},
		{line: "--log $B/log.json --log-format json ps --format json $ID", want: pids},
		{line: "ps --format table $ID -ef", want: `(?s)^UID +PID.*probe`},
		{line: "--log $B/log.json --log-format json exec --process $D/process.json --detach --pid-file $B/e1.pid $ID"},
		{line: "--debug --log $B/debug.json --log-format json exec --process $D/process.json $ID", code: 3},
		{line: "--log $B/log.json --log-format json update --resources - $ID"},
		{line: "--log $B/log.json --log-format json update --resources=- $ID"},
		{line: "--log $B/log.json --log-format json pause $ID"},
		{line: "--log $B/log.json --log-format json resume $ID"},
		{line: "--log $B/log.json --log-format json events --stats $ID", want: `^\{"type": ?"stats", ?"id": ?"[^\n]*\}\n$`},
		{line: "--log $B/log.json --log-format json list --format=json", want: `^\[\{.*\}\]\n?$`},
		{line: "--log $B/log.json --log-format json kill $ID 0"},
		{line: "--log $B/log.json --log-format json kill --all $ID 9"},
		{},
		{line: "--log $B/log.json --log-format json delete $ID"},
		{line: "--log $B/log.json --log-format json delete --force $ID"},
	},
	"conmon and podman": {
		{line: "--log-format=json --log $D/oci-log create --bundle $B --pid-file $D/pidfile --preserve-fds 0 $ID"},
		{line: "state $ID", want: statusIs + `created"`},
		{line: "start $ID"},
		{line: "state $ID", want: statusIs + `running"`},
		{line: "exec --pid-file $D/exec_pid --process $D/process.json --detach $ID"},
		{line: "update --resources=$D/resources.json $ID"},
		{line: "pause $ID"},
		{line: "state $ID", want: statusIs + `paused"`},
		{line: "resume $ID"},
		{line: "kill --all $ID 9"},
		{},
		{line: "state $ID", want: statusIs + `stopped"`},
		{line: "checkpoint --help", want: `(?i)usage`},
		{line: "delete --force $ID"},
		{line: "state $ID", code: 1, want: `does not exist`},
	},
	"CRI-O": {
		{line: "create --bundle $B --pid-file $D/pidfile $ID"},
		{line: "start $ID"},
		{line: "state $ID", want: statusIs + `running".*"pid": ?[1-9].*"bundle"|(?s)^\{.*"pid": ?[1-9].*"status": ?"running".*"bundle"`},
		{line: "exec --process $D/process.json $ID", code: 3},
		{line: "update --resources - $ID"},
		{line: "pause $ID"},
		{line: "resume $ID"},
		{line: "kill $ID CONT"},
		{line: "kill $ID SIGCONT"},
		{line: "kill -a $ID 18"},
		{line: "kill $ID KILL"},
		{},
		{line: "kill $ID 9", code: 1, want: `container not running`},
		{line: "delete --force $ID"},
	},
	"buildah": {
		{line: "create --bundle $B --pid-file $D/pid --no-pivot --no-new-keyring $ID"},
		{line: "start $ID"},
		{line: "state $ID", want: statusIs + `running"`},
		{line: "kill $ID SIGKILL"},
		{},
		{line: "state $ID", want: statusIs + `stopped"`},
		{line: "delete $ID"},
	},
}

func TestEnginesCallsAreUnderstood(t *testing.T) {
	needCall(t, "pidfd_open")
	for name, steps := range engineLives {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, runProbe("pause"))
			b.file("process.json", callProcess)
			b.file("resources.json", callResources)
			words := strings.NewReplacer("$B", b.bundle, "$D", b.dir, "$ID", b.id)
			for _, s := range steps {
				if s.line == "" {
					b.waitStopped()
					continue
				}
				r := b.withInput("resources.json", strings.Fields(words.Replace(s.line))...)
				if out := r.stdout + r.stderr; r.code != s.code || s.want == "" && out != "" || !regexp.MustCompile(s.want).MatchString(out) {
					t.Fatalf("want exit code %d and %q in what it prints: %s", s.code, s.want, r)
				}
			}
			b.wantNothingLeft()
		})
	}
}

// withInput runs a command in the bundle, as the shim does, with a file as its input.
func (b *box) withInput(name string, args ...string) *result {
	b.t.Helper()
	cmd := b.command(b.t.Context(), args...)
	in, err := os.Open(b.path(name))
	b.check(err)
	defer in.Close()
	cmd.Stdin, cmd.Dir = in, b.bundle
	return b.finish(b.t.Context(), cmd)
}

// BuildKit's runs stay in the foreground, and another call asks for the state until it is running.
func TestBuildKitsCallsAreUnderstood(t *testing.T) {
	needCall(t, "pidfd_open")
	b := newBox(t, runProbe("say", "ready", ",", "pause"))
	log := []string{"--log", b.path("runc-log.json"), "--log-format", "json"}
	l := b.live(append(log, "run", "--bundle", b.bundle, "--keep", b.id)...)
	l.want("ready")
	b.becomes("running")
	s := b.state()
	if s.Status != "running" || s.Pid == 0 || s.Bundle != b.bundle || s.Rootfs != b.rootfs {
		t.Errorf("the state is %+v", s)
	}
	r := b.hull(append(log, "exec", "--process", b.file("process.json", callProcess), "--pid-file", b.path("pid"), b.id)...)
	if r.code != 3 || r.stdout+r.stderr != "" || !regexp.MustCompile(`^[1-9]\d*$`).MatchString(b.read(b.path("pid"))) {
		t.Errorf("%s", r)
	}
	b.must(append(log, "kill", b.id, "9")...)
	if r := l.wait(); r.code != 137 {
		t.Errorf("%s", r)
	}
	b.must(append(log, "delete", b.id)...)
	b.wantNothingLeft()
}
