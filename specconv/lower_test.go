package specconv

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestLowersCapabilities(t *testing.T) {
	mask, unknown := Capabilities([]string{"CAP_CHOWN", "CAP_CHECKPOINT_RESTORE", "CAP_X", "chown", "CAP_CHOWN"})
	if mask != 1|1<<40 || !slices.Equal(unknown, []string{"CAP_X", "chown"}) {
		t.Errorf("got %#x, %q", mask, unknown)
	}
	all := CapabilityNames()
	if len(all) != unix.CAP_LAST_CAP+1 || all[unix.CAP_SYS_ADMIN] != "CAP_SYS_ADMIN" || all[unix.CAP_AUDIT_READ] != "CAP_AUDIT_READ" {
		t.Errorf("got %q", all)
	}
}

func TestGrantsOnlyWhatTheKernelAllows(t *testing.T) {
	got := GrantedCapabilities(&specs.LinuxCapabilities{
		Bounding:    []string{"CAP_CHOWN"},
		Permitted:   []string{"CAP_CHOWN", "CAP_FOWNER"},
		Inheritable: []string{"CAP_CHOWN", "CAP_KILL"},
		Effective:   []string{"CAP_CHOWN", "CAP_KILL"},
		Ambient:     []string{"CAP_CHOWN", "CAP_FOWNER", "CAP_KILL"},
	}, ^uint64(0))
	want := CapabilitySets{Bounding: 1, Effective: 1, Inheritable: 1 | 1<<5, Permitted: 1 | 1<<3, Ambient: 1}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	two := []string{"CAP_CHOWN", "CAP_FOWNER"}
	got = GrantedCapabilities(&specs.LinuxCapabilities{Bounding: two, Permitted: two, Inheritable: two, Effective: two, Ambient: two}, 1<<3)
	if want = (CapabilitySets{Bounding: 1 << 3, Effective: 1 << 3, Inheritable: 1 << 3, Permitted: 1 << 3, Ambient: 1 << 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if (GrantedCapabilities(nil, ^uint64(0)) != CapabilitySets{}) {
		t.Error("no capabilities are not none")
	}
}

func TestLowersWords(t *testing.T) {
	if n, ok := Rlimit("RLIMIT_RTTIME"); n != 15 || !ok {
		t.Errorf("got %d", n)
	}
	for i, name := range RlimitNames() {
		if n, _ := Rlimit(name); n != i {
			t.Errorf("%s is %d, not %d", name, n, i)
		}
	}
	if _, ok := Rlimit("NOFILE"); ok {
		t.Error("NOFILE is known")
	}
	all := uintptr(0)
	for _, name := range NamespaceNames() {
		flag, _ := NamespaceFlag(specs.LinuxNamespaceType(name))
		all |= flag
	}
	if all != unix.CLONE_NEWNS|unix.CLONE_NEWUTS|unix.CLONE_NEWIPC|unix.CLONE_NEWPID|unix.CLONE_NEWNET|unix.CLONE_NEWUSER|
		unix.CLONE_NEWCGROUP|unix.CLONE_NEWTIME {
		t.Errorf("got %#x", all)
	}
	if flags, err := RootfsPropagation("rslave"); flags != unix.MS_SLAVE|unix.MS_REC || err != nil {
		t.Errorf("got %#x, %v", flags, err)
	}
	if flags, err := RootfsPropagation(""); flags != 0 || err != nil {
		t.Errorf("got %#x, %v", flags, err)
	}
	if p, err := Personality(specs.PerLinux32, nil); p != 8 || err != nil {
		t.Errorf("got %d, %v", p, err)
	}
	if p, err := IOPriority(&specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_IDLE, Priority: 4}); p != 3<<13|4 || err != nil {
		t.Errorf("got %#x, %v", p, err)
	}
	if !slices.Equal(HookNames(), []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}) {
		t.Errorf("got %q", HookNames())
	}
}

// Every word of specs-go that has a list of its own there is in a table here; SCHED_ISO alone has no meaning to Linux.
func TestKnowsTheWordsOfTheSpec(t *testing.T) {
	for _, c := range []struct {
		known []string
		words int
	}{
		{SchedPolicyNames(), 7 - 1},
		{SchedFlagNames(), 7},
		{MemoryPolicyModeNames(), 7},
		{MemoryPolicyFlagNames(), 3},
		{IOPriorityClassNames(), 3},
		{NamespaceNames(), 8},
		{RlimitNames(), 16},
		{PersonalityNames(), 2},
		{seccompActions[:], 9},
		{seccompOperators[:], 7},
		{seccompArchitectures[:], 23},
		{seccompFlags[:], 4},
	} {
		sorted := slices.Sorted(slices.Values(c.known))
		if len(slices.Compact(sorted)) != c.words || sorted[0] == "" {
			t.Errorf("%q are not %d words", c.known, c.words)
		}
	}
}

func TestLowersTheScheduler(t *testing.T) {
	attr, err := Scheduler(&specs.Scheduler{
		Policy: specs.SchedDeadline, Runtime: 2000, Deadline: 3000, Period: 4000,
		Flags: []specs.LinuxSchedulerFlag{specs.SchedFlagResetOnFork, specs.SchedFlagUtilClampMax},
	})
	want := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: 6, Flags: 0x41, Runtime: 2000, Deadline: 3000, Period: 4000}
	if attr != want || err != nil {
		t.Errorf("got %+v, %v", attr, err)
	}
	attr, err = Scheduler(&specs.Scheduler{Policy: specs.SchedRR, Priority: 3, Nice: -1})
	// what is not given is 0: config.md, Linux Process
	want = unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: 2, Priority: 3, Nice: -1}
	if attr != want || err != nil {
		t.Errorf("got %+v, %v", attr, err)
	}
	_, err = Scheduler(&specs.Scheduler{Policy: "x", Priority: -1})
	if err == nil || !strings.HasPrefix(err.Error(), `policy ("x"): is not a scheduling policy`) {
		t.Errorf("got %v", err)
	}
}

func TestLowersLists(t *testing.T) {
	for list, want := range map[string][]byte{
		"0":            {1, 0, 0, 0, 0, 0, 0, 0},
		"0-3,7":        {0x8f, 0, 0, 0, 0, 0, 0, 0},
		" 1 , ,9-10, ": {2, 6, 0, 0, 0, 0, 0, 0},
		"64":           {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0},
	} {
		if got, err := CPUList(list); !slices.Equal(got, want) || err != nil {
			t.Errorf("%q: got %v, %v", list, got, err)
		}
	}
	for list, want := range map[string]string{
		"":       "names no CPU",
		" , ":    "names no CPU",
		"a":      `"a" is not a number; a list looks like 0-3,7`,
		"1-":     `"" is not a number; a list looks like 0-3,7`,
		"-1":     `"" is not a number; a list looks like 0-3,7`,
		"+1":     `"+1" is not a number; a list looks like 0-3,7`,
		"1-2-3":  `"2-3" is not a number; a list looks like 0-3,7`,
		"5-4":    `the range "5-4" runs backwards`,
		"8192":   "8192 is more than 8191, the largest number that Linux has",
		"0-9999": "9999 is more than 8191, the largest number that Linux has",
		"1\n":    `"1\n" is not a number; a list looks like 0-3,7`,
	} {
		if got, err := CPUList(list); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, %v; want %s", list, got, err, want)
		}
	}
}

func TestLowersTheMemoryPolicy(t *testing.T) {
	mode, nodes, err := MemoryPolicy(&specs.LinuxMemoryPolicy{
		Mode: specs.MpolInterleave, Nodes: "0,64-65", Flags: []specs.MemoryPolicyFlagType{specs.MpolFStaticNodes},
	})
	if mode != 3|1<<15 || !slices.Equal(nodes, []uint64{1, 3}) || err != nil {
		t.Errorf("got %#x, %v, %v", mode, nodes, err)
	}
	if mode, nodes, err := MemoryPolicy(&specs.LinuxMemoryPolicy{Mode: specs.MpolDefault}); mode != 0 || nodes != nil || err != nil {
		t.Errorf("got %#x, %v, %v", mode, nodes, err)
	}
}

func TestLowersDevices(t *testing.T) {
	mode := os.FileMode(8630) // as Docker writes it: 020666
	for _, c := range []struct {
		d    specs.LinuxDevice
		mode uint32
		dev  uint64
	}{
		{specs.LinuxDevice{Path: "/a", Type: "c", Major: 10, Minor: 229, FileMode: &mode}, unix.S_IFCHR | 0o666, unix.Mkdev(10, 229)},
		{specs.LinuxDevice{Path: "/a", Type: "u", Major: 4095, Minor: 1048575}, unix.S_IFCHR | 0o666, unix.Mkdev(4095, 1048575)},
		{specs.LinuxDevice{Path: "/a", Type: "b", Major: 8}, unix.S_IFBLK | 0o666, unix.Mkdev(8, 0)},
		{specs.LinuxDevice{Path: "/a", Type: "p", Major: 8}, unix.S_IFIFO | 0o666, 0},
	} {
		if mode, dev, err := Device(c.d); mode != c.mode || dev != c.dev || err != nil {
			t.Errorf("%+v: got %#o, %#x, %v", c.d, mode, dev, err)
		}
	}
	if _, _, err := Device(specs.LinuxDevice{Path: "/a", Type: "d"}); err == nil {
		t.Error("type d is accepted")
	}
}

func TestLowersTimeOffsets(t *testing.T) {
	got := TimeOffsets(map[string]specs.LinuxTimeOffset{"boottime": {Secs: -3}, "monotonic": {Secs: 7, Nanosecs: 5}})
	if want := "1 7 5\n7 -3 0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := TimeOffsets(nil); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestMapsIds(t *testing.T) {
	mapping := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 1000, Size: 1}, {ContainerID: 1, HostID: 100000, Size: 65535}}
	if got, want := IDMap(mapping), "0 1000 1\n1 100000 65535\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for id, want := range map[uint32]int64{0: 1000, 1: 100000, 65535: 165534, 65536: -1, 4294967295: -1} {
		if host, ok := HostID(id, mapping); ok != (want >= 0) || ok && int64(host) != want {
			t.Errorf("%d: got %d, %t", id, host, ok)
		}
	}
}
