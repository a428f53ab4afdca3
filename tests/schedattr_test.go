package tests

import (
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// attributes are what sched_getattr(2) says of the container's process.
func (b *box) attributes() unix.SchedAttr {
	b.t.Helper()
	attr, err := unix.SchedGetAttr(b.state().Pid, 0)
	b.check(err)
	return *attr
}

func TestDeadlinesAreSet(t *testing.T) {
	needRoot(t, "it raises its priority")
	b := newBox(t, runProbe("say", "ready", ",", "pause"), process(func(p *specs.Process) {
		p.Scheduler = &specs.Scheduler{
			Policy: specs.SchedDeadline, Runtime: 2_000_000, Deadline: 30_000_000, Period: 40_000_000,
			Flags: []specs.LinuxSchedulerFlag{specs.SchedFlagReclaim, specs.SchedFlagResetOnFork},
		}
	}))
	b.start().want("ready")
	const flags = unix.SCHED_FLAG_RECLAIM | unix.SCHED_FLAG_RESET_ON_FORK
	if a := b.attributes(); a.Policy != unix.SCHED_DEADLINE || a.Runtime != 2_000_000 || a.Deadline != 30_000_000 || a.Period != 40_000_000 || a.Flags&flags != flags {
		t.Errorf("the attributes are %+v", a)
	}
}

// With group scheduling of real-time processes (cgroup v1) none can run in a cgroup that has no time for them.
func TestRealTimeProcessHasTheTimeOfItsCgroup(t *testing.T) {
	needV1(t)
	if _, err := os.Stat("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"); err != nil {
		t.Skip("this kernel has no group scheduling of real-time processes: ", err)
	}
	b := newBox(t, runProbe("say", "ready", ",", "pause"),
		process(func(p *specs.Process) { p.Scheduler = &specs.Scheduler{Policy: specs.SchedRR, Priority: 7} }),
		resources(cpuLimits(specs.LinuxCPU{RealtimeRuntime: new(int64(1000))})))
	b.start().want("ready")
	if a := b.attributes(); a.Policy != unix.SCHED_RR || a.Priority != 7 {
		t.Errorf("the attributes are %+v", a)
	}
}

// The initial affinity is for the time before exec's process is in the cgroup, whose cpuset would refuse it.
func TestExecIsOnItsInitialProcessorsOutsideTheCgroup(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("this machine has one processor")
	}
	b := running(t, resources(cpuLimits(specs.LinuxCPU{Cpus: "0", Mems: "0"})))
	affinity := func(initial, final string) string {
		return b.processFile(func(p *specs.Process) { p.ExecCPUAffinity = &specs.CPUAffinity{Initial: initial, Final: final} })
	}
	r := parseReport(t, b.must("exec", "--process", affinity("1", "0"), b.id).stdout)
	if !slices.Equal(r.CPUs, []int{0}) {
		t.Errorf("the process may use the processors %v", r.CPUs)
	}
	b.refuse(255, []string{"process.execCPUAffinity.initial (4000)"}, "exec", "--process", affinity("4000", ""), b.id)
	b.refuse(255, []string{"process.execCPUAffinity.final (1)", "cpuset"}, "exec", "--process", affinity("", "1"), b.id)
	b.refuse(255, []string{"execCPUAffinity.final", `"0-"`}, "exec", "--process", affinity("1", "0-"), b.id)
}
