package tests

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestSchedulingPolicyIsSet(t *testing.T) {
	for name, c := range map[string]struct {
		scheduler specs.Scheduler
		want      string // policy, priority, nice
	}{
		"other": {specs.Scheduler{Policy: specs.SchedOther, Nice: 7}, fmt.Sprint(unix.SCHED_NORMAL, 0, 7)},
		"batch": {specs.Scheduler{Policy: specs.SchedBatch, Nice: 3}, fmt.Sprint(unix.SCHED_BATCH, 0, 3)},
		"idle":  {specs.Scheduler{Policy: specs.SchedIdle}, fmt.Sprint(unix.SCHED_IDLE, 0, ownNice(t))}, // has none of its own
	} {
		t.Run(name, func(t *testing.T) {
			r := newBox(t, process(func(p *specs.Process) { p.Scheduler = &c.scheduler })).report()
			if got := fmt.Sprint(r.Policy, r.Priority, r.Nice); got != c.want {
				t.Errorf("policy, priority, nice are %s, want %s", got, c.want)
			}
		})
	}
}

func TestIOPriorityIsSet(t *testing.T) {
	const classShift, be = 13, 2 // ioprio_set(2)
	r := newBox(t, process(func(p *specs.Process) {
		p.IOPriority = &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_BE, Priority: 6}
	})).report()
	if want := be<<classShift | 6; r.IOPrio != want {
		t.Errorf("the priority is %#x, want %#x", r.IOPrio, want)
	}
}

func TestPersonalityIsSet(t *testing.T) {
	const linux32 = 8 // personality(2)
	r := newBox(t, func(s *specs.Spec) { s.Linux.Personality = &specs.LinuxPersonality{Domain: specs.PerLinux32} }).report()
	if r.Personality&0xff != linux32 || strings.Contains(r.Machine, "64") {
		t.Errorf("the personality is %#x, the machine %s", r.Personality, r.Machine)
	}
}

func TestExecHasItsFinalAffinity(t *testing.T) {
	b := running(t, process(func(p *specs.Process) { p.ExecCPUAffinity = &specs.CPUAffinity{Initial: "0", Final: "0"} }))
	if r := b.execReport(); !slices.Equal(r.CPUs, []int{0}) {
		t.Errorf("the process may use the processors %v", r.CPUs)
	}
}

func TestTimeOffsetsMoveTheClocks(t *testing.T) {
	host := newBox(t).report()
	r := newBox(t, namespace(specs.TimeNamespace, ""), func(s *specs.Spec) {
		s.Linux.TimeOffsets = map[string]specs.LinuxTimeOffset{"monotonic": {Secs: 1_000_000}, "boottime": {Secs: 2_000_000, Nanosecs: 5}}
	}).report("/proc/self/timens_offsets")
	if got := strings.Join(strings.Fields(r.Files["/proc/self/timens_offsets"]), " "); got != "monotonic 1000000 0 boottime 2000000 5" {
		t.Errorf("the offsets are %q", got)
	}
	const hour = 3600
	if d := r.Monotonic - host.Monotonic - 1_000_000; d < 0 || d > hour {
		t.Errorf("the monotonic clock went from %d to %d", host.Monotonic, r.Monotonic)
	}
	if d := r.Boottime - host.Boottime - 2_000_000; d < 0 || d > hour {
		t.Errorf("the boottime clock went from %d to %d", host.Boottime, r.Boottime)
	}
}

func TestTimeOffsetsNeedATimeNamespace(t *testing.T) {
	b := newBox(t, func(s *specs.Spec) { s.Linux.TimeOffsets = map[string]specs.LinuxTimeOffset{"monotonic": {Secs: 1}} })
	b.run().expect(b, 1, "linux.timeOffsets", "time namespace")
	b.wantNothingLeft()
}

func TestSchedulingErrorsNameTheField(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*specs.Process)
		words  []string
	}{
		"policy":   {func(p *specs.Process) { p.Scheduler = &specs.Scheduler{Policy: "SCHED_NOPE"} }, []string{"process.scheduler.policy", "SCHED_NOPE", "SCHED_OTHER"}},
		"nice":     {func(p *specs.Process) { p.Scheduler = &specs.Scheduler{Policy: specs.SchedOther, Nice: 40} }, []string{"process.scheduler.nice", "40"}},
		"io class": {func(p *specs.Process) { p.IOPriority = &specs.LinuxIOPriority{Class: "NOPE"} }, []string{"process.ioPriority.class", "NOPE"}},
		"io priority": {func(p *specs.Process) {
			p.IOPriority = &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_BE, Priority: 9}
		}, []string{"process.ioPriority.priority", "9"}},
		"affinity": {func(p *specs.Process) { p.ExecCPUAffinity = &specs.CPUAffinity{Final: "x"} }, []string{"process.execCPUAffinity.final", `"x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, process(c.change))
			b.run().expect(b, 1, c.words...)
			b.wantNothingLeft()
		})
	}
}

// ownNice is the nice value of this process, which containers inherit.
func ownNice(t *testing.T) int {
	t.Helper()
	value, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - value // what the system call itself returns: getpriority(2), "C library/kernel differences"
}

// hull has a slack of its own, and must not pass it on.
func TestTimerSlackIsTheCallers(t *testing.T) {
	needRoot(t, "some kernels show timer slacks to root alone")
	const file = "/proc/self/timerslack_ns"
	own, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b := running(t)
	exec := parseReport(t, b.must("exec", b.id, "/bin/probe", "report", file).stdout)
	for name, r := range map[string]*report{"run": newBox(t).report(file), "exec": exec} {
		if got := r.Files[file]; got != string(own) {
			t.Errorf("%s: the process has a timer slack of %q, want %q", name, got, own)
		}
	}
}
