package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// hookKinds are the six, in the order in which they run.
var hookKinds = []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}

// hook adds one hook of a kind.
func hook(kind string, h specs.Hook) edit {
	return func(s *specs.Spec) {
		if s.Hooks == nil {
			s.Hooks = &specs.Hooks{}
		}
		list := map[string]*[]specs.Hook{
			"prestart": &s.Hooks.Prestart, "createRuntime": &s.Hooks.CreateRuntime, "createContainer": &s.Hooks.CreateContainer,
			"startContainer": &s.Hooks.StartContainer, "poststart": &s.Hooks.Poststart, "poststop": &s.Hooks.Poststop,
		}[kind]
		*list = append(*list, h)
	}
}

// script is a hook that runs shell commands. What it writes to $LOG can be read back with hookLog.
// The one of startContainer runs inside the container, where the log is at /mnt/log.
func (b *box) script(kind, commands string) edit {
	b.t.Helper()
	b.check(os.MkdirAll(b.path("log"), 0o777))
	b.check(os.Chmod(b.path("log"), 0o777))
	log := b.path("log")
	if kind == "startContainer" {
		log = "/mnt"
	}
	return hook(kind, specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", commands}, Env: []string{"LOG=" + log + "/log", "DIR=" + log, "PATH=/bin:/usr/bin", "KIND=" + kind}})
}

// logged lets the container see the hooks' log.
func (b *box) logged() edit { return bind(b.path("log"), "rw") }

func (b *box) hookLog() string {
	b.t.Helper()
	return b.read(b.path("log", "log"))
}

func TestHooksRunInOrderAroundTheProgram(t *testing.T) {
	b := newBox(t, shell("echo program >> /mnt/log"))
	for _, kind := range hookKinds {
		b.edit(b.script(kind, "echo $KIND 1 >> $LOG"), b.script(kind, "echo $KIND 2 >> $LOG"))
	}
	l := b.edit(b.logged()).create()
	want := "prestart 1\nprestart 2\ncreateRuntime 1\ncreateRuntime 2\ncreateContainer 1\ncreateContainer 2\n"
	if got := b.hookLog(); got != want {
		t.Errorf("after create the log is\n%s", got)
	}
	b.must("start", b.id)
	l.rest()
	b.waitStopped()
	got := b.hookLog()
	if head := want + "startContainer 1\nstartContainer 2\n"; !strings.HasPrefix(got, head) {
		t.Errorf("after start the log is\n%s", got)
	}
	if strings.Count(got, "program\n") != 1 || !strings.Contains(got, "poststart 1\npoststart 2\n") && !strings.Contains(got, "poststart 1\nprogram\npoststart 2\n") {
		t.Errorf("after start the log is\n%s", got)
	}
	b.must("delete", b.id)
	if !strings.HasSuffix(b.hookLog(), "poststop 1\npoststop 2\n") {
		t.Errorf("after delete the log is\n%s", b.hookLog())
	}
}

func TestHooksGetTheStateWithTheRightStatus(t *testing.T) {
	b := newBox(t, runProbe("say", "x"), func(s *specs.Spec) { s.Annotations = map[string]string{"k": "v"} })
	for _, kind := range hookKinds {
		b.edit(b.script(kind, "cat > $DIR/$KIND"))
	}
	b.edit(b.logged()).mustRun()
	for kind, status := range map[string]string{
		"prestart": "creating", "createRuntime": "creating", "createContainer": "creating", "startContainer": "created", "poststart": "running", "poststop": "stopped",
	} {
		var s specs.State
		text := b.read(b.path("log", kind))
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Errorf("%s got %q: %v", kind, text, err)
			continue
		}
		if string(s.Status) != status || s.ID != b.id || s.Bundle != b.bundle || s.Annotations["k"] != "v" || s.Version == "" {
			t.Errorf("%s got %s", kind, text)
		}
		if wantPid := kind != "poststop"; (s.Pid > 0) != wantPid {
			t.Errorf("%s got pid %d", kind, s.Pid)
		}
	}
}

func TestHooksRunInTheirNamespaces(t *testing.T) {
	b := newBox(t, runProbe("say", "x"))
	for _, kind := range hookKinds {
		b.edit(b.script(kind, "for n in mnt net pid uts ipc; do readlink /proc/self/ns/$n; done > $DIR/$KIND; ls -d /bin/probe > $DIR/$KIND.root 2>&1; true"))
	}
	b.spec.Hooks.StartContainer[0].Args[2] = strings.ReplaceAll(b.spec.Hooks.StartContainer[0].Args[2], "readlink", "busybox readlink")
	b.edit(b.logged()).mustRun()
	host := b.read(b.path("log", "prestart"))
	for _, ns := range []string{"mnt", "net", "pid", "uts", "ipc"} {
		if !strings.Contains(host, hostNamespace(t, ns)) {
			t.Errorf("prestart runs in\n%s", host)
		}
	}
	for _, kind := range []string{"createRuntime", "poststart", "poststop"} {
		if got := b.read(b.path("log", kind)); got != host {
			t.Errorf("%s does not run in the runtime's namespaces, but in\n%s", kind, got)
		}
	}
	for _, kind := range []string{"createContainer", "startContainer"} {
		for i, ns := range strings.Fields(b.read(b.path("log", kind))) {
			if ns == strings.Fields(host)[i] {
				t.Errorf("%s runs in the host's %s", kind, ns)
			}
		}
	}
	// createContainer's path is of the runtime's file system: it runs before the root is changed.
	if got := b.read(b.path("log", "createContainer.root")); strings.HasPrefix(got, "/bin/probe") {
		t.Error("createContainer runs in the container's root")
	}
	if got := b.read(b.path("log", "startContainer.root")); !strings.HasPrefix(got, "/bin/probe") {
		t.Errorf("startContainer does not run in the container's root: %s", got)
	}
}

func TestCreateRuntimeHookCanReachTheContainersNamespaces(t *testing.T) {
	needRoot(t, "it makes namespaces outside a user namespace")
	b := newBox(t)
	b.edit(b.script("createRuntime", `pid=$(sed 's/.*"pid": *\([0-9]*\).*/\1/'); nsenter -t $pid -n ip link set lo up >> $LOG 2>&1 || echo 1 | nsenter -t $pid -n tee /proc/sys/net/ipv4/ip_forward; nsenter -t $pid -n cat /proc/sys/net/ipv4/ip_forward > $DIR/forward; echo $? >> $LOG`))
	b.edit(b.logged()).mustRun()
	if got := b.hookLog(); !strings.HasSuffix(got, "0\n") {
		t.Errorf("the hook says %q", got)
	}
}

func TestHookHasItsArgumentsAndEnvironment(t *testing.T) {
	b := newBox(t)
	script := b.file("hook", "#!/bin/sh\n(echo \"$0 $*\"; /usr/bin/env | grep -v -e ^PWD= -e ^_= -e ^SHLVL=) > "+b.path("seen")+"\n")
	b.check(os.Chmod(script, 0o755))
	b.edit(hook("createRuntime", specs.Hook{Path: script, Args: []string{"name", "one", "two words"}, Env: []string{"A=b"}})).mustRun()
	if got, want := b.read(b.path("seen")), script+" one two words\nA=b\n"; got != want {
		t.Errorf("the hook saw %q, want %q", got, want)
	}
}

func TestFailingHookUndoesTheContainer(t *testing.T) {
	for _, kind := range []string{"prestart", "createRuntime", "createContainer"} {
		t.Run(kind, func(t *testing.T) {
			b := newBox(t, runProbe("say", "ran"))
			b.edit(b.script(kind, "true"), b.script(kind, "echo said; echo complained >&2; exit 3"), b.script(kind, "touch $DIR/third"), b.script("poststop", "echo poststop >> $LOG"), b.logged())
			r := b.hull("create", "--bundle", b.bundle, b.id)
			r.expect(b, 1, "hooks."+kind+"[1]", "exit status 3", "complained")
			if _, err := os.Stat(b.path("log", "third")); err == nil {
				t.Error("the hooks after the failed one ran")
			}
			b.wantNothingLeft()
		})
	}
}

// runtime.md, steps 7 and 9: the lifecycle goes on with the destruction of the container.

func TestFailingStartContainerHookEndsTheContainer(t *testing.T) {
	b := newBox(t, runProbe("say", "ran"))
	l := b.edit(b.script("startContainer", "exit 3"), b.script("poststop", "echo poststop >> $LOG"), b.logged()).create()
	b.refuse(1, []string{"hooks.startContainer[0]", "3"}, "start", b.id)
	if got := l.rest(); strings.Contains(got, "ran") {
		t.Error("the program ran")
	}
	b.wantNothingLeft()
	if got := b.hookLog(); got != "poststop\n" {
		t.Errorf("the log is %q", got)
	}
}

func TestFailingPoststartHookEndsTheContainer(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	b.edit(b.script("poststart", "exit 3"), b.script("poststop", "echo poststop >> $LOG"), b.logged()).create()
	b.refuse(1, []string{"hooks.poststart[0]", "exit status 3"}, "start", b.id)
	b.wantNothingLeft()
	if got := b.hookLog(); got != "poststop\n" {
		t.Errorf("the log is %q", got)
	}
}

// runtime.md, steps 3 to 5.
func TestFailingHookOfCreateIsFollowedByPoststop(t *testing.T) {
	for _, kind := range []string{"prestart", "createRuntime", "createContainer"} {
		b := newBox(t)
		b.edit(b.script(kind, "exit 3"), b.script("poststop", "echo poststop >> $LOG"), b.logged())
		b.run().expect(b, 1, "hooks."+kind+"[0]", "exit status 3")
		b.wantNothingLeft()
		if got := b.hookLog(); got != "poststop\n" {
			t.Errorf("%s: the log is %q", kind, got)
		}
	}
}

func TestFailingPoststopHookIsOnlyLogged(t *testing.T) {
	b := newBox(t)
	b.edit(b.script("poststop", "exit 3"), b.script("poststop", "echo second >> $LOG"), b.logged()).start().rest()
	b.waitStopped()
	r := b.must("delete", b.id)
	r.expect(b, 0, "hooks.poststop[0]", "exit status 3")
	if got := b.hookLog(); got != "second\n" {
		t.Errorf("the log is %q", got)
	}
	b.wantNothingLeft()
}

func TestHookThatTakesTooLongIsEnded(t *testing.T) {
	for _, kind := range []string{"createRuntime", "createContainer"} {
		b := newBox(t)
		b.edit(hook(kind, specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", "sleep 1000 & sleep 1000"}, Env: []string{markerName + "=" + b.id, "PATH=/bin"}, Timeout: new(1)}))
		b.run().expect(b, 1, "hooks."+kind+"[0]", "timeout of 1 s")
		b.wantNothingLeft()
	}
}

func TestHookErrorsNameTheField(t *testing.T) {
	b := newBox(t, hook("createRuntime", specs.Hook{Path: "/no/such/hook"}))
	b.run().expect(b, 1, "hooks.createRuntime[0]", "/no/such/hook", "no such file or directory")
	b.edit(func(s *specs.Spec) { s.Hooks.CreateRuntime[0].Path = "relative" })
	b.run().expect(b, 1, "hooks.createRuntime[0].path", "relative", "absolute")
	b.edit(func(s *specs.Spec) { s.Hooks.CreateRuntime[0] = specs.Hook{Path: "/bin/true", Timeout: new(0)} })
	b.run().expect(b, 1, "hooks.createRuntime[0].timeout", "0")
	b.wantNothingLeft()
}

func TestHookThatReadsNothingIsFine(t *testing.T) {
	b := newBox(t, hook("createRuntime", specs.Hook{Path: "/bin/true"}), func(s *specs.Spec) {
		s.Annotations = map[string]string{}
		for i := range 3000 { // more than a pipe holds
			s.Annotations[fmt.Sprintf("org.example.%d", i)] = strings.Repeat("x", 50)
		}
	}, runProbe("say", "ran"))
	b.wantOutput("ran")
}
