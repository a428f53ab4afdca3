package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func memoryPolicy(mode specs.MemoryPolicyModeType, nodes string, flags ...specs.MemoryPolicyFlagType) edit {
	return func(s *specs.Spec) {
		s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: mode, Nodes: nodes, Flags: flags}
	}
}

// numaPolicy is the policy that new memory of the process has, as proc_pid_numa_maps(5) shows it for the heap or the stack.
func (r *report) numaPolicy() string {
	var policy string
	for line := range strings.Lines(r.Files["/proc/self/numa_maps"]) {
		if f := strings.Fields(line); strings.Contains(line, " heap") || policy == "" {
			policy = f[1]
		}
	}
	return policy
}

func TestMemoryPolicyIsSet(t *testing.T) {
	if _, err := os.Stat("/proc/self/numa_maps"); err != nil {
		t.Skip("this kernel has no NUMA support: ", err)
	}
	for want, policy := range map[string]edit{
		"default":          memoryPolicy(specs.MpolDefault, ""),
		"local":            memoryPolicy(specs.MpolLocal, ""),
		"bind:0":           memoryPolicy(specs.MpolBind, "0"),
		"bind=static:0":    memoryPolicy(specs.MpolBind, "0", specs.MpolFStaticNodes),
		"prefer:0":         memoryPolicy(specs.MpolPreferred, "0"),
		"interleave:0":     memoryPolicy(specs.MpolInterleave, "0"),
		"prefer (many):0":  memoryPolicy(specs.MpolPreferredMany, "0"),
		"bind=relative:0":  memoryPolicy(specs.MpolBind, "0", specs.MpolFRelativeNodes),
		"bind=balancing:0": memoryPolicy(specs.MpolBind, "0", specs.MpolFNumaBalancing),
	} {
		t.Run(want, func(t *testing.T) {
			b := newBox(t, policy, runProbe("report", "/proc/self/numa_maps", ",", "pause"))
			r := parseReport(t, b.start().line())
			word, _, _ := strings.Cut(want, " ") // the field ends at a space
			if got := r.numaPolicy(); !strings.HasPrefix(got, word) {
				t.Errorf("the policy is %q, want %q", got, want)
			}
			exec := parseReport(t, b.must("exec", b.id, "/bin/probe", "report", "/proc/self/numa_maps").stdout)
			if got := exec.numaPolicy(); !strings.HasPrefix(got, word) {
				t.Errorf("the policy of exec is %q, want %q", got, want)
			}
		})
	}
}

// processFile writes a process for exec --process.
func (b *box) processFile(change func(*specs.Process)) string {
	b.t.Helper()
	p := *defaultSpec(b.id).Process
	change(&p)
	text, err := json.Marshal(p)
	b.check(err)
	return b.file("process.json", string(text))
}

func TestExecProcessIsScheduledAsItsFileSays(t *testing.T) {
	const classShift, idle = 13, 3 // ioprio_set(2)
	b := running(t)
	path := b.processFile(func(p *specs.Process) {
		p.Scheduler = &specs.Scheduler{Policy: specs.SchedBatch, Nice: 5}
		p.IOPriority = &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_IDLE}
		p.ExecCPUAffinity = &specs.CPUAffinity{Final: "0"}
	})
	r := parseReport(t, b.must("exec", "--process", path, b.id).stdout)
	if r.Policy != unix.SCHED_BATCH || r.Nice != 5 || r.IOPrio != idle<<classShift || !slices.Equal(r.CPUs, []int{0}) {
		t.Errorf("policy %d, nice %d, I/O priority %#x, processors %v", r.Policy, r.Nice, r.IOPrio, r.CPUs)
	}
}

func TestExecKeepsItsInitialAffinityWithoutAFinalOne(t *testing.T) {
	b := running(t)
	path := b.processFile(func(p *specs.Process) { p.ExecCPUAffinity = &specs.CPUAffinity{Initial: "0"} })
	got := parseReport(t, b.must("exec", "--process", path, b.id).stdout).CPUs
	if forgetsAffinity(t) && slices.Equal(got, b.execReport().CPUs) {
		return
	}
	if !slices.Equal(got, []int{0}) {
		t.Errorf("the process may use the processors %v", got)
	}
}

// forgetsAffinity says whether the kernel gives whoever enters a cpuset all of its processors, as
// before Linux 6.2, instead of those that sched_setaffinity(2) has asked for.
func forgetsAffinity(t *testing.T) bool {
	t.Helper()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(name.Release[:])
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		t.Fatalf("%s: %v", release, err)
	}
	return major < 6 || major == 6 && minor < 2
}

func TestSpecialPoliciesAreForThoseWhoMay(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_RTPRIO, &limit); err != nil {
		t.Fatal(err)
	}
	b := newBox(t, process(func(p *specs.Process) {
		p.Scheduler = &specs.Scheduler{Policy: specs.SchedFIFO, Priority: 10, Flags: []specs.LinuxSchedulerFlag{specs.SchedFlagResetOnFork}}
	}))
	r := b.run()
	if slices.Contains(capNames(ownStatus("CapEff")), "CAP_SYS_NICE") && r.code == 0 {
		const resetOnFork = 0x40000000 // sched_getscheduler(2)
		if got := parseReport(t, r.stdout); got.Policy != unix.SCHED_FIFO|resetOnFork || got.Priority != 10 {
			t.Errorf("policy %#x, priority %d", got.Policy, got.Priority)
		}
		return
	}
	want := "hull: process.scheduler (SCHED_FIFO): the scheduling policy needs CAP_SYS_NICE on the host, or a higher RLIMIT_RTPRIO: operation not permitted\n"
	if r.stderr != want {
		t.Errorf("want %q: %s", want, r)
	}
}

// mountedKind says whether a file system of that type is mounted anywhere.
func mountedKind(t *testing.T, kind string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), " - "+kind+" ")
}

func TestFieldsThatTheKernelLacksAreRefused(t *testing.T) {
	apparmor, _ := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	for name, c := range map[string]struct {
		there bool // the kernel has it
		edit  edit
		want  string
	}{
		"apparmorProfile": {
			strings.HasPrefix(string(apparmor), "Y"), process(func(p *specs.Process) { p.ApparmorProfile = "some" }),
			"process.apparmorProfile (some): AppArmor is not enabled in this kernel",
		},
		"selinuxLabel": {
			mountedKind(t, "selinuxfs"), process(func(p *specs.Process) { p.SelinuxLabel = "a:b:c:s0" }),
			"process.selinuxLabel (a:b:c:s0): SELinux is not enabled in this kernel",
		},
		"mountLabel": {
			mountedKind(t, "selinuxfs"), func(s *specs.Spec) { s.Linux.MountLabel = "a:b:c:s0" },
			"linux.mountLabel (a:b:c:s0): SELinux is not enabled in this kernel",
		},
		"intelRdt": {
			mountedKind(t, "resctrl"), func(s *specs.Spec) { s.Linux.IntelRdt = &specs.LinuxIntelRdt{ClosID: "gold"} },
			"linux.intelRdt: no resctrl file system is mounted: mount -t resctrl resctrl /sys/fs/resctrl, where the processor has the feature",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.there {
				t.Skip("this kernel has it")
			}
			b := newBox(t, c.edit)
			if r := b.run(); r.code != 1 || r.stderr != "hull: "+c.want+"\n" {
				t.Errorf("want %q: %s", c.want, r)
			}
			b.wantNothingLeft()
		})
	}
}

func TestUnconfinedNeedsNoAppArmor(t *testing.T) {
	newBox(t, process(func(p *specs.Process) { p.ApparmorProfile = "unconfined" })).mustRun()
}

func TestRefusesSchemataForAContainerWithoutAClass(t *testing.T) {
	b := running(t)
	r := b.refuse(1, nil, "update", "--l3-cache-schema", "L3:0=f", b.id)
	if want := "hull: the container has no class of service: its configuration has no linux.intelRdt\n"; r.stderr != want {
		t.Errorf("want %q: %s", want, r)
	}
}

func TestRefusesFieldsByExactMessage(t *testing.T) {
	for want, change := range map[string]edit{
		`linux.memoryPolicy.mode ("MPOL_NOPE"): is not a memory policy; known values: MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL, MPOL_PREFERRED_MANY, MPOL_WEIGHTED_INTERLEAVE`: memoryPolicy("MPOL_NOPE", "0"),
		`linux.memoryPolicy.nodes: must name a node with MPOL_BIND`: memoryPolicy(specs.MpolBind, ""),
		`process.ioPriority.class ("NOPE"): `: process(func(p *specs.Process) {
			p.IOPriority = &specs.LinuxIOPriority{Class: "NOPE"}
		}),
		`linux.personality.domain ("NOPE"): `: func(s *specs.Spec) { s.Linux.Personality = &specs.LinuxPersonality{Domain: "NOPE"} },
		`linux.netDevices: the container has no network namespace to move them to; add {"type": "network"} to linux.namespaces`: all(
			withoutNamespace(specs.NetworkNamespace), netDevices(map[string]string{"out0": ""})),
		`linux.intelRdt.memBwSchema ("L3:0=f"): must start with MB:`: func(s *specs.Spec) {
			s.Linux.IntelRdt = &specs.LinuxIntelRdt{MemBwSchema: "L3:0=f"}
		},
	} {
		b := newBox(t, change)
		if r := b.run(); r.code != 1 || !strings.Contains(r.stderr, ": "+want) {
			t.Errorf("want %q: %s", want, r)
		}
	}
}

func TestMemoryPolicyOfAMissingNodeIsRefused(t *testing.T) {
	if _, err := os.Stat("/sys/devices/system/node/node63"); err == nil {
		t.Skip("this machine has 64 nodes")
	}
	b := newBox(t, memoryPolicy(specs.MpolBind, "63"))
	want := fmt.Sprintf("hull: linux.memoryPolicy (MPOL_BIND): the policy, its flags or its nodes do not fit this machine: %s\n", unix.EINVAL)
	if r := b.run(); r.code != 1 || r.stderr != want {
		t.Errorf("want %q: %s", want, r)
	}
}
