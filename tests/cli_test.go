package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

func TestSpecWritesABundlesConfiguration(t *testing.T) {
	needRoot(t, "the configuration is one without a user namespace")
	b := newBox(t)
	b.check(os.Remove(filepath.Join(b.bundle, "config.json")))
	b.must("spec", "--bundle", b.bundle)
	b.refuse(1, []string{"config.json", "exist"}, "spec", "--bundle", b.bundle)
	var s specs.Spec
	b.check(json.Unmarshal([]byte(b.read(filepath.Join(b.bundle, "config.json"))), &s))
	if !s.Process.Terminal || s.Process.Args[0] != "sh" || !s.Root.Readonly || s.Hostname == "" || len(s.Mounts) < 6 || len(s.Linux.Namespaces) < 5 {
		t.Errorf("the configuration is %+v", s)
	}
	b.configure(&s, runProbe(), process(func(p *specs.Process) { p.Terminal = false; p.Env[0] = "PATH=/bin" }), func(s *specs.Spec) { s.Linux.CgroupsPath = cgroupsPath(b.id) })
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

// go-runc has one set of options for create and run.
func TestCreateTakesTheFlagsOfRun(t *testing.T) {
	b := newBox(t)
	b.must("create", "--bundle", b.bundle, "--detach", "--keep", "-no-subreaper", b.id)
	b.wantStatus("created")
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}
