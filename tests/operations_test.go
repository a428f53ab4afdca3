package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// runtime.md, Operations: what each of them refuses, and what it leaves alone.

func TestOperationsNeedAnID(t *testing.T) {
	b := newBox(t)
	for _, verb := range []string{"create", "start", "state", "kill", "delete"} {
		t.Run(verb, func(t *testing.T) {
			cmd := b.command(t.Context(), verb)
			cmd.Dir = b.bundle
			b.finish(t.Context(), cmd).expect(b, 1, verb, "id")
			b.wantNothingLeft()
		})
	}
}

func TestCreateNeedsABundle(t *testing.T) {
	b := newBox(t)
	b.refuse(1, []string{"config.json", "no such file or directory"}, "create", b.id) // where there is none
	b.wantNothingLeft()
}

// seen is what may not change when an operation is refused: the state, and the container's process.
func (b *box) seen() string {
	b.t.Helper()
	text := b.must("state", b.id).stdout
	for _, pid := range b.processes() {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		b.check(err)
		text += fmt.Sprintf("%d since %s\n", pid, strings.Fields(string(stat))[21])
	}
	return text
}

func TestRefusedOperationsChangeNothing(t *testing.T) {
	statuses := map[string]func(*box){
		"created": func(b *box) { b.create() },
		"running": func(b *box) { b.start() },
		"paused":  func(b *box) { b.start(); b.must("pause", b.id) },
		"stopped": func(b *box) { b.edit(runProbe()); b.start(); b.waitStopped() },
	}
	for verb, list := range map[string][]string{
		"start":  {"running", "paused", "stopped"},
		"kill":   {"stopped"},
		"delete": {"created", "running", "paused"},
		"create": {"created", "running", "paused", "stopped"},
	} {
		for _, status := range list {
			t.Run(verb+"/"+status, func(t *testing.T) {
				b := newBox(t, runProbe("pause"))
				statuses[status](b)
				before := b.seen()
				args := []string{verb, b.id}
				if verb == "create" {
					args = []string{verb, "--bundle", b.bundle, b.id}
				}
				b.refuse(1, []string{"hull: "}, args...)
				if after := b.seen(); after != before {
					t.Errorf("before:\n%s\nafter:\n%s", before, after)
				}
				b.wantStatus(status)
			})
		}
	}
}

func TestConfigurationCountsAsItWasAtCreate(t *testing.T) {
	b := newBox(t, runProbe("say", "first", ",", "line"))
	l := b.edit(b.script("poststart", "echo first >> $LOG"), b.script("poststop", "echo first >> $LOG")).create()
	b.edit(runProbe("say", "second"), process(func(p *specs.Process) { p.Env = []string{"SECOND=1"} }), func(s *specs.Spec) {
		s.Hooks = nil
		s.Annotations = map[string]string{"org.example.second": "1"}
	})
	b.must("start", b.id)
	l.want("first")
	if s := b.state(); len(s.Annotations) > 0 {
		t.Errorf("the state is %+v", s)
	}
	if r := b.execReport(); strings.Contains(strings.Join(r.Env, " "), "SECOND") {
		t.Errorf("exec has the environment %v", r.Env)
	}
	l.stdin.Close()
	b.waitStopped()
	b.must("delete", b.id)
	if got := b.hookLog(); got != "first\nfirst\n" {
		t.Errorf("the hooks' log is %q", got)
	}
}

// What a container is made of is there before its program is: another process sees it.
func TestCreateAppliesEverythingButTheProcess(t *testing.T) {
	needRoot(t, "only the kernel's own root makes devices")
	b := newBox(t, runProbe("say", "ran"), sysctl("net.ipv4.ip_forward", "1"), mount("/mnt", "tmpfs", "tmpfs", "ro"),
		func(s *specs.Spec) {
			s.Hostname, s.Root.Readonly = "created", true
			s.Linux.MaskedPaths = []string{"/etc/passwd"}
			s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/made", Type: "c", Major: 1, Minor: 3}}
		})
	l := b.create()
	r := parseReport(t, b.must("exec", b.id, "/bin/probe", "report", "/etc/passwd", "/proc/sys/net/ipv4/ip_forward").stdout)
	if r.Hostname != "created" || r.mount("/mnt") == nil || !strings.HasPrefix(r.mount("/").Options, "ro") || r.Files["/etc/passwd"] != "" ||
		r.Files["/proc/sys/net/ipv4/ip_forward"] != "1\n" || r.Dev["made"].Major != 1 {
		t.Errorf("hostname %s, /mnt %v, / %v, masked %q, sysctl %q, device %v", r.Hostname, r.mount("/mnt"), r.mount("/"),
			r.Files["/etc/passwd"], r.Files["/proc/sys/net/ipv4/ip_forward"], r.Dev["made"])
	}
	b.must("kill", b.id, "KILL")
	if got := l.rest(); got != "" {
		t.Errorf("the program said %q", got)
	}
}

func TestContainerWithoutAProcessCannotBeStarted(t *testing.T) {
	b := newBox(t, func(s *specs.Spec) { s.Process = nil })
	b.create()
	if got := b.must("exec", b.id, "/bin/probe", "say", "other").stdout; got != "other\n" {
		t.Errorf("another process said %q", got)
	}
	before := b.seen()
	r := b.refuse(1, nil, "start", b.id)
	if want := "hull: process: is missing: there is nothing to start\n"; r.stderr != want {
		t.Errorf("want %q: %s", want, r)
	}
	if after := b.seen(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	b.must("delete", "--force", b.id)
	r = b.run()
	r.expect(b, 1, "process: is missing")
	b.wantNothingLeft()
}

func TestBundleInTheStateIsAbsolute(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	cmd := b.command(t.Context(), "create", "--bundle", "bundle", b.id)
	cmd.Dir = b.dir
	if r := b.finish(t.Context(), cmd); r.code != 0 {
		t.Fatal(r)
	}
	if got := b.state().Bundle; got != b.bundle {
		t.Errorf("the bundle is %q, want %q", got, b.bundle)
	}
}

// runtime.md, State: hooks in the container's namespaces see the pid there, the others that on the host.
func TestHooksSeeThePidOfTheirNamespace(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	for _, kind := range hookKinds {
		b.edit(b.script(kind, "cat > $DIR/$KIND"))
	}
	b.edit(b.logged()).start()
	host := b.state().Pid
	b.must("kill", b.id, "KILL")
	b.waitStopped()
	b.must("delete", b.id)
	for kind, want := range map[string]int{
		"prestart": host, "createRuntime": host, "createContainer": 1, "startContainer": 1, "poststart": host, "poststop": 0,
	} {
		var s specs.State
		b.check(json.Unmarshal([]byte(b.read(b.path("log", kind))), &s))
		if s.Pid != want {
			t.Errorf("%s got the pid %d, want %d", kind, s.Pid, want)
		}
	}
}

func TestHooksGetAStateOfTheSchema(t *testing.T) {
	b := newBox(t, runProbe("say", "x"))
	for _, kind := range hookKinds {
		b.edit(b.script(kind, "cat > $DIR/$KIND"))
	}
	b.edit(b.logged()).mustRun()
	for _, kind := range hookKinds {
		b.conforms("state-schema.json", b.read(b.path("log", kind)))
	}
}

// A container deletes what it has made, and nothing that it has found.
func TestDeleteLeavesWhatWasThereBefore(t *testing.T) {
	needCreate(t)
	needRoot(t, "it makes namespaces outside a user namespace")
	b := newBox(t)
	b.global = nil // systemd takes no cgroup that is there already
	other := newNetwork(b)
	dir := b.canary("source")
	b.edit(namespace(specs.NetworkNamespace, "/proc/"+other.pid+"/ns/net"), bind(dir, "ro"))
	roots, err := hierarchies()
	b.check(err)
	var found []string
	for _, root := range roots {
		parent := filepath.Join(root, b.id)
		if err := os.MkdirAll(filepath.Join(parent, "leaf"), 0o755); err != nil {
			continue // the tree of a hierarchy that may not be changed
		}
		found = append(found, filepath.Join(parent, "leaf"), parent)
	}
	b.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = "/" + b.id + "/leaf" })
	b.start().rest()
	b.waitStopped()
	b.must("delete", b.id)
	for _, path := range found {
		if err := os.Remove(path); err != nil {
			t.Errorf("it was there before: %v", err)
		}
	}
	other.names() // is there
}
