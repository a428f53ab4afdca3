package tests

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// caps sets the five sets.
func caps(bounding, effective, permitted, inheritable, ambient []string) edit {
	return process(func(p *specs.Process) {
		p.Capabilities = &specs.LinuxCapabilities{Bounding: bounding, Effective: effective, Permitted: permitted, Inheritable: inheritable, Ambient: ambient}
	})
}

var capSets = []string{"CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb"}

func (r *report) wantCaps(want map[string][]string) {
	r.t.Helper()
	for _, set := range capSets {
		got := r.caps(set)
		slices.Sort(got)
		if w := slices.Sorted(slices.Values(want[set])); !slices.Equal(got, w) {
			r.t.Errorf("%s is %v, want %v", set, got, w)
		}
	}
}

// Root gains the bounding set at execve, unless no_new_privs keeps it from gaining anything: capabilities(7).
func TestRootHasTheCapabilitiesOfTheFile(t *testing.T) {
	two, three := []string{"CAP_CHOWN", "CAP_KILL"}, []string{"CAP_CHOWN", "CAP_KILL", "CAP_MKNOD"}
	for name, c := range map[string]struct {
		edit edit
		nnp  bool
		want map[string][]string
	}{
		"three sets":        {caps(two, two, two, nil, nil), true, map[string][]string{"CapBnd": two, "CapEff": two, "CapPrm": two}},
		"none":              {caps(nil, nil, nil, nil, nil), true, nil},
		"bounding":          {caps(three, nil, nil, nil, nil), true, map[string][]string{"CapBnd": three}},
		"bounding, gaining": {caps(three, nil, nil, nil, nil), false, map[string][]string{"CapBnd": three, "CapEff": three, "CapPrm": three}},
		"inheritable":       {caps(three, two, two, two, nil), true, map[string][]string{"CapBnd": three, "CapEff": two, "CapPrm": two, "CapInh": two}},
	} {
		t.Run(name, func(t *testing.T) {
			newBox(t, c.edit, process(func(p *specs.Process) { p.NoNewPrivileges = c.nnp })).report().wantCaps(c.want)
		})
	}
}

// A program without file capabilities that an ordinary user executes keeps
// only the ambient set: capabilities(7), "Transformation of capabilities during execve()".
func TestOrdinaryUserKeepsTheAmbientCapabilities(t *testing.T) {
	two, one := []string{"CAP_CHOWN", "CAP_KILL"}, []string{"CAP_KILL"}
	r := newBox(t, user(1000, 1000), caps(two, two, two, two, one)).report()
	r.wantCaps(map[string][]string{"CapBnd": two, "CapEff": one, "CapPrm": one, "CapInh": two, "CapAmb": one})
	r = newBox(t, user(1000, 1000), caps(two, two, two, nil, nil)).report()
	r.wantCaps(map[string][]string{"CapBnd": two})
}

func TestUnknownCapabilityIsWarnedOfAndSkipped(t *testing.T) {
	list := []string{"CAP_CHOWN", "CAP_OF_TOMORROW"}
	b := newBox(t, caps(list, list, list, nil, nil))
	r := b.run()
	r.expect(b, 0, "CAP_OF_TOMORROW")
	parseReport(t, r.stdout).wantCaps(map[string][]string{"CapBnd": list[:1], "CapEff": list[:1], "CapPrm": list[:1]})
}

// config.md, Linux Process: runtimes should not fail for what they cannot grant, and must warn.
func TestCapabilityThatHullLacksIsWarnedOfAndSkipped(t *testing.T) {
	needRoot(t, "the configuration is one without a user namespace")
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skipf("%v: install util-linux", err)
	}
	list, left := []string{"CAP_CHOWN", "CAP_SYS_TIME"}, []string{"CAP_CHOWN"}
	granted := map[string][]string{"CapBnd": left, "CapEff": left, "CapPrm": left, "CapInh": left, "CapAmb": left}
	b := newBox(t, caps(list, list, list, list, list), runProbe("report", ",", "pause"))
	b.wrapper = []string{"setpriv", "--bounding-set", "-sys_time", "--inh-caps", "-sys_time", "--"}
	l := b.create()
	if text := b.read(l.errs.Name()); strings.Count(text, "is ignored, for hull does not have it itself") != len(capSets) || !strings.Contains(text, "process.capabilities.bounding[1] (\"CAP_SYS_TIME\")") {
		t.Errorf("the warnings are %s", text)
	}
	b.must("start", b.id)
	parseReport(t, l.line()).wantCaps(granted)
	b.execReport().wantCaps(granted)
	b.execReport("--cap", "CAP_SYS_TIME").wantCaps(granted)
}

func TestUserNamespaceHasCapabilitiesThatHullLacks(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skipf("%v: install util-linux", err)
	}
	list := []string{"CAP_CHOWN", "CAP_SYS_TIME"}
	b := newBox(t, userNamespace(0), caps(list, list, list, nil, nil))
	b.wrapper = []string{"setpriv", "--bounding-set", "-sys_time", "--"}
	b.report().wantCaps(map[string][]string{"CapBnd": list, "CapEff": list, "CapPrm": list})
}

func TestEveryCapabilityCanBeGiven(t *testing.T) {
	r := newBox(t, allCaps).report()
	if got, want := r.caps("CapEff"), capNames(ownStatus("CapEff")); !slices.Equal(got, want) {
		t.Errorf("CapEff is %v, want %v", got, want)
	}
}

func TestCapabilitiesAreInForce(t *testing.T) {
	needRoot(t, "only the kernel's own root makes devices")
	for cap, verbs := range map[string][]string{
		"CAP_MKNOD":      {"mknod", "/tmp/node", "c", "1", "3"},
		"CAP_CHOWN":      {"chown", "/etc/passwd", "5", "5"},
		"CAP_SYS_CHROOT": {"chroot", "/"},
		"CAP_SETUID":     {"setuid", "77"},
		"CAP_SETGID":     {"setgroups", "0"},
	} {
		t.Run(cap, func(t *testing.T) {
			try := joined(verbs)
			if got := newBox(t, runProbe(verbs...), caps([]string{cap}, []string{cap}, []string{cap}, nil, nil)).mustRun(); got != try+": ok\n" {
				t.Errorf("with it: %q", got)
			}
			others := slices.DeleteFunc(slices.Clone(someCaps), func(c string) bool { return c == cap })
			if got := newBox(t, runProbe(verbs...), caps(others, others, others, nil, nil)).mustRun(); got != try+": EPERM\n" {
				t.Errorf("without it: %q", got)
			}
		})
	}
}

func TestExecHasTheContainersCapabilitiesUnlessAsked(t *testing.T) {
	two := []string{"CAP_CHOWN", "CAP_KILL"}
	b := newBox(t, runProbe("pause"), caps(two, two, two, nil, nil))
	b.start()
	same := map[string][]string{"CapBnd": two, "CapEff": two, "CapPrm": two}
	b.execReport().wantCaps(same)
	more := maps.Clone(same)
	for _, set := range []string{"CapBnd", "CapEff", "CapPrm"} {
		more[set] = append(slices.Clone(two), "CAP_SYS_CHROOT")
	}
	b.execReport("--cap", "CAP_SYS_CHROOT").wantCaps(more)
}
