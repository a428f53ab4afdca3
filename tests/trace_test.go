package tests

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"hull/tests/count"
)

type traceEvent struct {
	Name  string            `json:"name"`
	Phase string            `json:"ph"`
	Time  float64           `json:"ts"`
	Took  float64           `json:"dur"`
	Pid   int               `json:"pid"`
	Args  map[string]string `json:"args"`
}

// trace runs a command with --trace and returns the phases of each of hull and stage.
func (b *box) trace(args ...string) map[string][]traceEvent {
	b.t.Helper()
	path := b.path("trace.json")
	b.must(append([]string{"--trace", path}, args...)...)
	var file struct{ TraceEvents []traceEvent }
	b.check(json.Unmarshal([]byte(b.read(path)), &file))
	names, phases := map[int]string{}, map[string][]traceEvent{}
	for _, e := range file.TraceEvents {
		switch e.Phase {
		case "M":
			names[e.Pid] = e.Args["name"]
		case "X":
			phases[names[e.Pid]] = append(phases[names[e.Pid]], e)
		default:
			b.t.Errorf("an event of kind %q", e.Phase)
		}
	}
	return phases
}

// nested says of each pair of phases that one contains the other, or neither touches the other.
func nested(t *testing.T, who string, list []traceEvent) {
	t.Helper()
	const rounding = 0.01 // of decimal fractions of a microsecond
	for i, a := range list {
		if a.Took < 0 || a.Time < -rounding {
			t.Errorf("%s: %+v", who, a)
		}
		for _, b := range list[i+1:] {
			apart := b.Time >= a.Time+a.Took-rounding || a.Time >= b.Time+b.Took-rounding
			inside := b.Time >= a.Time-rounding && b.Time+b.Took <= a.Time+a.Took+rounding
			if !apart && !inside {
				t.Errorf("%s: %q at %f for %f and %q at %f for %f overlap", who, a.Name, a.Time, a.Took, b.Name, b.Time, b.Took)
			}
		}
	}
}

func has(list []traceEvent, name string) bool {
	return slices.ContainsFunc(list, func(e traceEvent) bool { return e.Name == name })
}

func TestTraceTellsThePhasesOfBothProcesses(t *testing.T) {
	b := newBox(t, args("/bin/true"))
	got := b.trace("run", "--bundle", b.bundle, b.id)
	nested(t, "hull", got["hull"])
	nested(t, "stage", got["stage"])
	for _, name := range []string{"hull", "start of the program", "create.load", "create.cgroup", "create.setup", "delete.directory"} {
		if !has(got["hull"], name) {
			t.Errorf("hull lacks the phase %q", name)
		}
	}
	whole := got["hull"][0]
	for _, e := range got["stage"] {
		if e.Time < whole.Time || e.Time+e.Took > whole.Time+whole.Took {
			t.Errorf("%q of the stage is outside of hull's own time: %+v", e.Name, e)
		}
	}
}

// Each operation that the plan has is in the trace, but for those that it went around.
func TestTraceNamesEachOperation(t *testing.T) {
	b := newBox(t, args("/bin/true"))
	stage := b.trace("run", "--bundle", b.bundle, b.id)["stage"]
	plan := strings.Split(strings.TrimSpace(b.must("plan", "--bundle", b.bundle).stdout), "\n")[1:]
	var missing []string
	for _, line := range plan {
		found := slices.ContainsFunc(stage, func(e traceEvent) bool {
			words := strings.Fields(e.Args["field"] + " " + e.Args["target"] + " " + e.Name)
			return slices.Equal(strings.Fields(strings.ReplaceAll(line, "/plan/", "/"+b.id+"/")), words)
		})
		if !found {
			missing = append(missing, strings.Join(strings.Fields(line), " "))
		}
	}
	for _, m := range missing { // ways out that a plan does not take when all goes well
		if !slices.ContainsFunc([]string{"explain", "refuse", "make directory", "open tree", "make node", "attach", "verify", "open", "close", "go on", "unmount", "change directory"}, func(w string) bool { return strings.Contains(m, w) }) {
			t.Errorf("the trace lacks %q", m)
		}
	}
	if len(missing)*2 > len(plan) {
		t.Errorf("the trace lacks %d of %d operations", len(missing), len(plan))
	}
	for _, name := range []string{"umask", "pivot_root", "capset", "exec"} {
		if !has(stage, name) {
			t.Errorf("the trace lacks %q", name)
		}
	}
}

func TestTraceOfEachCommand(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	for _, c := range []struct {
		phase, operation string
		args             []string
	}{
		{"create.setup", "pivot_root", []string{"create", "--bundle", b.bundle, b.id}},
		{"start.release", "capset", []string{"start", b.id}},
		{"status", "", []string{"state", b.id}},
		{"exec.setup", "exec", []string{"exec", b.id, "/bin/true"}},
		{"delete.cgroup", "", []string{"delete", "--force", b.id}},
	} {
		got := b.trace(c.args...)
		nested(t, c.args[0], got["hull"])
		nested(t, c.args[0], got["stage"])
		if !has(got["hull"], c.phase) {
			t.Errorf("%s: hull lacks the phase %q", c.args[0], c.phase)
		}
		if c.operation != "" && !has(got["stage"], c.operation) {
			t.Errorf("%s: the stage lacks %q", c.args[0], c.operation)
		}
	}
}

func TestTraceAsATable(t *testing.T) {
	b := newBox(t, args("/bin/true"))
	r := b.must("--trace", "-", "run", "--bundle", b.bundle, b.id)
	r.expect(b, 0, "took ms", "create.setup", "| pivot", "delete.directory")
}

func TestTraceOfAFailureIsWritten(t *testing.T) {
	b := newBox(t, args("/bin/none"))
	path := b.path("trace.json")
	b.refuse(1, []string{"/bin/none"}, "--trace", path, "run", "--bundle", b.bundle, b.id)
	if text := b.read(path); !json.Valid([]byte(text)) || !strings.Contains(text, "create.setup") {
		t.Errorf("the trace is %q", text)
	}
	b.refuse(1, []string{"--trace", "no such file"}, "--trace", b.path("none", "x"), "list")
}

// A trace that nobody asks for asks the kernel for nothing.
func TestWithoutTraceNothingIsTimed(t *testing.T) {
	b := newBox(t, args("/bin/true"))
	calls := func(global ...string) map[int]int {
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		b.check(err)
		defer null.Close()
		line := append(append([]string{b.binary, "--root", b.root}, global...), "run", "--bundle", b.bundle, b.id)
		c, err := count.Run(count.Command{Args: line, Env: os.Environ(), Files: []*os.File{null, null, null}}, nil)
		if err != nil {
			t.Skipf("ptrace does not work here: %v", err)
		}
		return c.Calls
	}
	with, without := calls("--trace", b.path("trace.json")), calls()
	if n := without[unix.SYS_CLOCK_GETTIME]; n != 0 {
		t.Errorf("without --trace the clock is asked %d times", n)
	}
	if without[unix.SYS_MEMFD_CREATE] != with[unix.SYS_MEMFD_CREATE]-1 {
		t.Errorf("%d memory files without --trace, %d with it", without[unix.SYS_MEMFD_CREATE], with[unix.SYS_MEMFD_CREATE])
	}
	if with[unix.SYS_CLOCK_GETTIME] == 0 {
		t.Error("with --trace the clock is not asked")
	}
}
