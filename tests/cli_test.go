package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

var commands = strings.Fields("create delete events exec features kill list pause ps resume run spec start state update")

func TestHelpKnowsEveryCommand(t *testing.T) {
	b := newBox(t)
	help := b.must("help").stdout
	for _, c := range commands {
		if !strings.Contains(help, "\n   "+c) {
			t.Errorf("help does not know %s:\n%s", c, help)
		}
		if out := b.must(c, "--help").stdout; !strings.Contains(out, "hull "+c) {
			t.Errorf("%s --help says %s", c, out)
		}
	}
	if got := b.must("--help").stdout; got != help {
		t.Error("--help and help differ")
	}
}

func TestVersionIsInTheFormEnginesKnow(t *testing.T) {
	lines := strings.Split(newBox(t).must("--version").stdout, "\n")
	if !strings.HasPrefix(lines[0], "hull version ") || !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "spec: 1.3") }) {
		t.Errorf("the version is %q", lines)
	}
}

func TestUsageErrorsSayWhatIsWrong(t *testing.T) {
	b := newBox(t)
	for _, c := range []struct {
		args string
		code int
		word string
	}{
		{"nope", 1, `"nope"`},
		{"state", 1, "id"},
		{"state a b", 1, `"b"`},
		{"state --nope a", 1, "nope"},
		{"--nope", 1, "nope"},
		{"create --bundle", 1, "bundle"},
		{"exec a", 1, "command"},
		{"kill a NOPE", 1, "a"},
		{"list --format xml", 1, "xml"},
		{"ps --format xml a", 1, "xml"},
		{"--log-format xml list", 1, "xml"},
		{"--log-level nope list", 1, "nope"},
		{"--rootless nope list", 1, "nope"},
		{"--systemd-cgroup list", 1, "systemd"},
		{"update --pids-limit x a", 1, "x"},
		{"run --preserve-fds -1 a", 1, "preserve-fds"},
	} {
		r := b.hull(strings.Fields(c.args)...)
		r.expect(b, c.code, c.word)
		if r.stdout != "" {
			t.Errorf("an error on standard output: %s", r)
		}
	}
	b.wantNothingLeft()
}

func TestErrorsAreOneJSONLineInTheLog(t *testing.T) {
	b := newBox(t)
	log := b.path("log.json")
	b.global = []string{"--log", log, "--log-format", "json"}
	r := b.hull("state", b.id)
	r.expect(b, 1, "container does not exist")
	var line struct{ Level, Msg, Time string }
	b.check(json.Unmarshal([]byte(b.read(log)), &line)) // one object alone
	if line.Level != "error" || !strings.Contains(line.Msg, "container does not exist") {
		t.Errorf("the log says %s", b.read(log))
	}
	if _, err := time.Parse(time.RFC3339, line.Time); err != nil {
		t.Error(err)
	}
	b.hull("state", b.id)
	if n := strings.Count(b.read(log), "\n"); n != 2 {
		t.Errorf("after two errors there are %d lines", n)
	}
}

func TestNothingIsLoggedWhenAllIsWell(t *testing.T) {
	b := newBox(t, runProbe("say", "x"))
	b.global = []string{"--log", b.path("log.json"), "--log-format", "json"}
	if r := b.run(); r.code != 0 || r.stderr != "" || r.stdout != "x\n" {
		t.Error(r)
	}
	if got := b.read(b.path("log.json")); got != "" {
		t.Errorf("the log says %s", got)
	}
}

func TestTextLogNamesLevelAndMessage(t *testing.T) {
	b := newBox(t)
	b.global = []string{"--log", b.path("log")}
	b.hull("state", b.id)
	if got := b.read(b.path("log")); !strings.Contains(got, "level=error") || !strings.Contains(got, "does not exist") {
		t.Errorf("the log says %s", got)
	}
}

func TestListShowsAllContainers(t *testing.T) {
	b := running(t)
	other := newBox(t, runProbe("pause"))
	other.root = b.root
	other.create()
	table := b.must("list").stdout
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if fields := strings.Fields(lines[0]); strings.Join(fields, " ") != "ID PID STATUS BUNDLE CREATED OWNER" || len(lines) != 3 {
		t.Errorf("the table is\n%s", table)
	}
	if row := strings.Fields(lines[1]); row[0] != b.id || row[1] != fmt.Sprint(b.state().Pid) || row[2] != "running" || row[3] != b.bundle || row[5] != "root" {
		t.Errorf("the row is %v", row)
	}
	var list []state
	b.check(json.Unmarshal([]byte(b.must("list", "--format", "json").stdout), &list))
	if len(list) != 2 || list[1].ID != other.id || list[1].Status != "created" || list[1].Bundle != other.bundle {
		t.Errorf("the list is %+v", list)
	}
	if got := b.must("list", "-q").stdout; got != b.id+"\n"+other.id+"\n" {
		t.Errorf("the ids are %q", got)
	}
	other.must("delete", "--force", other.id)
	other.root = other.path("root")
}

func TestListOfNothingIsEmpty(t *testing.T) {
	b := newBox(t)
	if got := b.must("list", "-f", "json").stdout; strings.TrimSpace(got) != "[]" && strings.TrimSpace(got) != "null" {
		t.Errorf("got %q", got)
	}
	if got := b.must("list", "-q").stdout; got != "" {
		t.Errorf("got %q", got)
	}
}

func TestListSurvivesABrokenEntry(t *testing.T) {
	b := running(t)
	b.check(os.MkdirAll(filepath.Join(b.root, "broken"), 0o700))
	b.check(os.WriteFile(filepath.Join(b.root, "broken", "state.json"), []byte("{"), 0o600))
	r := b.must("list", "-f", "json")
	if !strings.Contains(r.stdout, b.id) || !strings.Contains(r.stderr, "broken") {
		t.Error(r)
	}
	b.must("delete", "--force", "broken")
	if _, err := os.Stat(filepath.Join(b.root, "broken")); err == nil {
		t.Error("delete --force left the broken entry")
	}
}

func TestPsListsTheProcesses(t *testing.T) {
	b := newBox(t, runProbe("fork", "2", ",", "pause"))
	b.start().want("forked 2")
	var pids []int
	b.check(json.Unmarshal([]byte(b.must("ps", "--format", "json", b.id).stdout), &pids))
	if len(pids) != 3 || !slices.Contains(pids, b.state().Pid) {
		t.Errorf("the pids are %v", pids)
	}
	table := b.must("ps", b.id).stdout
	if !strings.HasPrefix(table, "UID") || strings.Count(table, "\n") != 4 || strings.Count(table, "/bin/probe fork 2") != 3 {
		t.Errorf("the table is\n%s", table)
	}
	table = b.must("ps", b.id, "-o", "pid,args").stdout
	if !strings.Contains(strings.Split(table, "\n")[0], "PID COMMAND") || strings.Count(table, "/bin/probe fork 2") != 3 {
		t.Errorf("the table is\n%s", table)
	}
}

func TestSpecWritesABundlesConfiguration(t *testing.T) {
	b := newBox(t)
	b.check(os.Remove(filepath.Join(b.bundle, "config.json")))
	b.must("spec", "--bundle", b.bundle)
	b.refuse(1, []string{"config.json", "exist"}, "spec", "--bundle", b.bundle)
	var s specs.Spec
	b.check(json.Unmarshal([]byte(b.read(filepath.Join(b.bundle, "config.json"))), &s))
	if !s.Process.Terminal || s.Process.Args[0] != "sh" || !s.Root.Readonly || s.Hostname == "" || len(s.Mounts) < 6 || len(s.Linux.Namespaces) < 5 {
		t.Errorf("the configuration is %+v", s)
	}
	b.configure(&s, runProbe(), process(func(p *specs.Process) { p.Terminal = false; p.Env[0] = "PATH=/bin" }), func(s *specs.Spec) { s.Linux.CgroupsPath = "/" + b.id })
	if r := b.report(); r.PID != 1 || r.Hostname != s.Hostname {
		t.Errorf("pid %d, hostname %s", r.PID, r.Hostname)
	}
}

func TestSpecRootlessHasAUserNamespace(t *testing.T) {
	b := newBox(t)
	b.check(os.Remove(filepath.Join(b.bundle, "config.json")))
	b.must("spec", "--rootless", "--bundle", b.bundle)
	var s specs.Spec
	b.check(json.Unmarshal([]byte(b.read(filepath.Join(b.bundle, "config.json"))), &s))
	if !slices.ContainsFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.UserNamespace }) || len(s.Linux.UIDMappings) != 1 {
		t.Errorf("the configuration is %+v", s.Linux)
	}
}

func TestFeaturesTellsWhatThereIs(t *testing.T) {
	var f features.Features
	b := newBox(t)
	b.check(json.Unmarshal([]byte(b.must("features").stdout), &f))
	if f.OCIVersionMin != "1.0.0" || !strings.HasPrefix(f.OCIVersionMax, "1.3") || !slices.Equal(f.Hooks, hookKinds) {
		t.Errorf("versions %s to %s, hooks %v", f.OCIVersionMin, f.OCIVersionMax, f.Hooks)
	}
	for _, word := range []string{"ro", "rro", "rbind", "idmap", "ridmap", "tmpcopyup", "nosymfollow", "rslave", "lazytime"} {
		if !slices.Contains(f.MountOptions, word) {
			t.Errorf("the mount options lack %s", word)
		}
	}
	for kind := range kinds {
		if !slices.Contains(f.Linux.Namespaces, string(kind)) {
			t.Errorf("the namespaces lack %s", kind)
		}
	}
	if !slices.Contains(f.Linux.Capabilities, "CAP_BPF") || !slices.Contains(f.Linux.Seccomp.Actions, "SCMP_ACT_NOTIFY") || !*f.Linux.Cgroup.V1 || !*f.Linux.Cgroup.V2 {
		t.Errorf("the features are %+v", f.Linux)
	}
}

func TestOptionsMayStandAfterTheId(t *testing.T) {
	b := running(t)
	b.must("kill", b.id, "KILL", "--all")
	b.waitStopped()
	b.must("delete", b.id, "--force")
	b.wantNothingLeft()
}

func TestOptionsMayHaveOneDash(t *testing.T) {
	b := newBox(t, runProbe("say", "x"))
	r := b.hull("run", "-bundle", b.bundle, b.id)
	r.expect(b, 0)
}

func TestBundleIsTheWorkingDirectoryByDefault(t *testing.T) {
	b := newBox(t, runProbe("say", "x"))
	cmd := b.command(t.Context(), "run", b.id)
	cmd.Dir = b.bundle
	if r := b.finish(t.Context(), cmd); r.code != 0 || r.stdout != "x\n" {
		t.Error(r)
	}
}

func TestWorkIsDoneWhenTheBundleIsGone(t *testing.T) {
	b := newBox(t, runProbe("say", "ready", ",", "pause"))
	b.start().want("ready")
	b.check(os.Remove(filepath.Join(b.bundle, "config.json")))
	if got := b.must("exec", b.id, "/bin/probe", "say", "x").stdout; got != "x\n" {
		t.Errorf("got %q", got)
	}
	b.wantStatus("running")
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}
