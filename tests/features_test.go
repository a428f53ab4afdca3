package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

// What the features document says must be what the code does: each list is
// compared with what the tests try, or is tried here.

func (b *box) features() features.Features {
	b.t.Helper()
	var f features.Features
	b.check(json.Unmarshal([]byte(b.must("features").stdout), &f))
	return f
}

// in is the box within a subtest.
func (b *box) in(t *testing.T) *box {
	inner := *b
	inner.t = t
	return &inner
}

// accepts asserts that hull takes the configuration with the change.
func (b *box) accepts(change edit) {
	b.t.Helper()
	b.configure(defaultSpec(b.id), change)
	if r := b.hull("plan", "--bundle", b.bundle); r.code != 0 || strings.Contains(r.stderr, "warning") {
		b.t.Errorf("is in features, and refused: %s", r)
	}
}

func TestFeaturesHaveNoUnknownMember(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(newBox(t).must("features").stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&features.Features{}); err != nil {
		t.Error(err)
	}
}

func TestFeaturesHaveNoNullAndNothingEmpty(t *testing.T) {
	b := newBox(t)
	var v any
	b.check(json.Unmarshal([]byte(b.must("features").stdout), &v))
	var look func(path string, v any)
	look = func(path string, v any) {
		switch v := v.(type) {
		case nil:
			t.Errorf("%s is null", path)
		case string:
			if v == "" {
				t.Errorf("%s is empty", path)
			}
		case []any:
			if len(v) == 0 {
				t.Errorf("%s is empty", path)
			}
			for i, e := range v {
				look(fmt.Sprintf("%s[%d]", path, i), e)
			}
		case map[string]any:
			if _, there := v[""]; there || len(v) == 0 {
				t.Errorf("%s has an empty key, or none", path)
			}
			for name, e := range v {
				look(path+"."+name, e)
			}
		}
	}
	look("", v)
}

func TestFeaturesDoNotDependOnTheCaller(t *testing.T) {
	b := newBox(t)
	root := b.must("features").stdout
	user := ordinary(t, false)
	if got := user.must("features").stdout; got != root {
		t.Errorf("root gets\n%s\nan ordinary user\n%s", root, got)
	}
	b.wrapper = []string{"unshare", "--mount", "sh", "-c", `umount -l /proc; umount -l /sys; exec "$@"`, "sh"}
	if got := b.must("features").stdout; got != root {
		t.Errorf("root gets\n%s\nwithout /proc and /sys\n%s", root, got)
	}
}

func TestEveryHookOfFeaturesRuns(t *testing.T) {
	b := newBox(t)
	for _, kind := range b.features().Hooks {
		b.edit(b.script(kind, "echo $KIND >> $LOG"))
	}
	b.edit(b.logged()).mustRun()
	if got, want := strings.Fields(b.hookLog()), b.features().Hooks; !slices.Equal(got, want) {
		t.Errorf("the hooks that ran are %v, want %v", got, want)
	}
}

// otherOptions are the words whose effect is no word of mountinfo, and the tests of each.
var otherOptions = map[string]func(*testing.T){
	"bind": TestBindTakesOneMountAndRbindAll, "rbind": TestBindTakesOneMountAndRbindAll,
	"idmap": TestIdmapShiftsTheOwners, "ridmap": TestRidmapReachesTheMountsBelow,
	"remount": TestRemountChangesTheMountThatIsThere, "tmpcopyup": TestTmpcopyupFillsTheTmpfs,
}

func TestEveryMountOptionOfFeaturesIsTested(t *testing.T) {
	b := newBox(t)
	listed := b.features().MountOptions
	if !slices.IsSorted(listed) || len(slices.Compact(slices.Clone(listed))) != len(listed) {
		t.Errorf("not sorted, or twice: %v", listed)
	}
	tried := map[string]bool{}
	for _, table := range []map[string]string{optionEffects, recursiveEffects, propagationEffects} {
		for word := range table {
			tried[word] = true
		}
	}
	for word := range otherOptions {
		tried[word] = true
	}
	for _, word := range listed {
		if !tried[word] {
			t.Errorf("%s has no test of its effect", word)
		}
		delete(tried, word)
	}
	for word := range tried { // the rest are options of tmpfs
		if !strings.Contains(word, "=") {
			t.Errorf("%s has an effect, and is not in features", word)
		}
	}
}

func TestRemountChangesTheMountThatIsThere(t *testing.T) {
	b := newBox(t, mount("/mnt", "tmpfs", "tmpfs", "size=1m"), mount("/mnt", "tmpfs", "tmpfs", "remount", "ro", "nosuid", "size=2m"))
	r := b.report()
	n := 0
	for _, m := range r.mounts() {
		if m.Mountpoint == "/mnt" {
			n++
		}
	}
	ofMount, ofFS := options(r.mount("/mnt"))
	if n != 1 || !slices.Contains(ofMount, "ro") || !slices.Contains(ofMount, "nosuid") || !slices.Contains(ofFS, "size=2048k") {
		t.Errorf("%d mounts, the last with %v, %v", n, ofMount, ofFS)
	}
}

func TestNamespacesOfFeaturesAreThoseOfTheKernel(t *testing.T) {
	b := newBox(t)
	entries, err := os.ReadDir("/proc/self/ns")
	b.check(err)
	var want []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "_for_children") {
			want = append(want, e.Name())
		}
	}
	got := b.features().Linux.Namespaces
	var inProc []string
	for _, kind := range got {
		inProc = append(inProc, kinds[specs.LinuxNamespaceType(kind)])
	}
	slices.Sort(inProc)
	if !slices.Equal(inProc, want) {
		t.Errorf("features has %v, the kernel %v", got, want)
	}
}

func TestCapabilitiesOfFeaturesCanBeGiven(t *testing.T) {
	needRoot(t, "the configuration is one without a user namespace")
	b := newBox(t)
	listed := b.features().Linux.Capabilities
	b.accepts(process(func(p *specs.Process) {
		p.Capabilities = &specs.LinuxCapabilities{Bounding: listed, Effective: listed, Permitted: listed, Inheritable: listed, Ambient: listed}
	}))
	last, err := strconv.Atoi(strings.TrimSpace(b.read("/proc/sys/kernel/cap_last_cap")))
	b.check(err)
	known := make([]string, len(capOrder))
	for i, name := range capOrder {
		known[i] = "CAP_" + name
	}
	if last >= len(known) {
		t.Fatalf("this kernel has capability %d, which these tests do not know", last)
	}
	slices.Sort(known)
	if got := slices.Sorted(slices.Values(listed)); !slices.Equal(got, known) {
		t.Errorf("features has %v, capabilities(7) %v", got, known)
	}
	// Those that this user has itself are given, each by its name.
	for _, name := range capNames(ownStatus("CapBnd")) {
		one := []string{name}
		b.configure(defaultSpec(b.id), caps(one, one, one, nil, nil))
		b.report().wantCaps(map[string][]string{"CapBnd": one, "CapEff": one, "CapPrm": one})
	}
}

func TestSeccompWordsOfFeaturesAreTaken(t *testing.T) {
	needRoot(t, "the configuration is one without a user namespace")
	b := newBox(t)
	f := b.features().Linux.Seccomp
	with := func(change func(*specs.LinuxSeccomp)) edit {
		return all(seccomp(rule(specs.ActErrno, makesDirectories...)), profile(change))
	}
	t.Run("actions", func(t *testing.T) {
		b := b.in(t)
		for _, word := range f.Actions {
			b.accepts(with(func(p *specs.LinuxSeccomp) {
				p.Syscalls[0].Action, p.ListenerPath = specs.LinuxSeccompAction(word), "/agent"
			}))
		}
		b.onlyThese(f.Actions, "SCMP_ACT_", seccompConstants)
	})
	t.Run("operators", func(t *testing.T) {
		b := b.in(t)
		for _, word := range f.Operators {
			b.accepts(with(func(p *specs.LinuxSeccomp) {
				p.Syscalls[0].Args = []specs.LinuxSeccompArg{{Op: specs.LinuxSeccompOperator(word), Value: 1, ValueTwo: 1}}
			}))
		}
		b.onlyThese(f.Operators, "SCMP_CMP_", seccompConstants)
	})
	t.Run("archs", func(t *testing.T) {
		b := b.in(t)
		for _, word := range f.Archs {
			b.accepts(with(func(p *specs.LinuxSeccomp) { p.Architectures = []specs.Arch{specs.Arch(word)} }))
		}
		b.onlyThese(f.Archs, "SCMP_ARCH_", seccompConstants)
	})
	t.Run("knownFlags", func(t *testing.T) {
		b := b.in(t)
		for _, word := range f.KnownFlags {
			b.configure(defaultSpec(b.id), with(func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlag(word)} }))
			r := b.hull("plan", "--bundle", b.bundle)
			if supported := slices.Contains(f.SupportedFlags, word); supported != (r.code == 0) || !supported && !strings.Contains(r.stderr, "the kernel does not take it") {
				t.Errorf("%s, supported %t: %s", word, supported, r)
			}
		}
		b.onlyThese(f.KnownFlags, "SECCOMP_FILTER_FLAG_", seccompConstants)
	})
	t.Run("supportedFlags", func(t *testing.T) {
		b := b.in(t)
		for _, word := range f.SupportedFlags {
			if !slices.Contains(f.KnownFlags, word) {
				t.Errorf("%s is supported, and not known", word)
			}
			b.configure(defaultSpec(b.id), with(func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlag(word)} }), runProbe("mkdir", "/x"))
			b.wantOutput("mkdir /x: EPERM")
		}
	})
}

// seccompConstants are the words in the lists of config-linux.md, Seccomp.
var seccompConstants = strings.Fields(`
	SCMP_ARCH_X86 SCMP_ARCH_X86_64 SCMP_ARCH_X32 SCMP_ARCH_ARM SCMP_ARCH_AARCH64 SCMP_ARCH_MIPS SCMP_ARCH_MIPS64 SCMP_ARCH_MIPS64N32
	SCMP_ARCH_MIPSEL SCMP_ARCH_MIPSEL64 SCMP_ARCH_MIPSEL64N32 SCMP_ARCH_PPC SCMP_ARCH_PPC64 SCMP_ARCH_PPC64LE SCMP_ARCH_S390
	SCMP_ARCH_S390X SCMP_ARCH_PARISC SCMP_ARCH_PARISC64 SCMP_ARCH_RISCV64 SCMP_ARCH_LOONGARCH64 SCMP_ARCH_M68K SCMP_ARCH_SH SCMP_ARCH_SHEB
	SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	SCMP_ACT_KILL SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL_THREAD SCMP_ACT_TRAP SCMP_ACT_ERRNO SCMP_ACT_TRACE SCMP_ACT_ALLOW SCMP_ACT_LOG
	SCMP_ACT_NOTIFY SCMP_CMP_NE SCMP_CMP_LT SCMP_CMP_LE SCMP_CMP_EQ SCMP_CMP_GE SCMP_CMP_GT SCMP_CMP_MASKED_EQ`)

// onlyThese asserts that the list has all words with the prefix that the specification knows, and no other.
func (b *box) onlyThese(list []string, prefix string, known []string) {
	b.t.Helper()
	var want []string
	for _, word := range known {
		if strings.HasPrefix(word, prefix) {
			want = append(want, word)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(list)); !slices.Equal(got, want) {
		b.t.Errorf("features has %v, the specification %v", got, want)
	}
}

func TestMemoryPolicyWordsOfFeaturesAreTaken(t *testing.T) {
	needRoot(t, "the configuration is one without a user namespace")
	b := newBox(t)
	f := b.features().Linux.MemoryPolicy
	t.Run("modes", func(t *testing.T) {
		b := b.in(t)
		for _, word := range f.Modes {
			nodes := "0"
			if mode := specs.MemoryPolicyModeType(word); mode == specs.MpolDefault || mode == specs.MpolLocal {
				nodes = ""
			}
			b.accepts(memoryPolicy(specs.MemoryPolicyModeType(word), nodes))
		}
		b.onlyThese(f.Modes, "MPOL_", strings.Fields("MPOL_DEFAULT MPOL_BIND MPOL_INTERLEAVE MPOL_WEIGHTED_INTERLEAVE MPOL_PREFERRED MPOL_PREFERRED_MANY MPOL_LOCAL"))
	})
	t.Run("flags", func(t *testing.T) {
		b := b.in(t)
		for _, word := range f.Flags {
			b.accepts(memoryPolicy(specs.MpolBind, "0", specs.MemoryPolicyFlagType(word)))
		}
		b.onlyThese(f.Flags, "MPOL_F_", strings.Fields("MPOL_F_NUMA_BALANCING MPOL_F_RELATIVE_NODES MPOL_F_STATIC_NODES"))
	})
}

// The objects with nothing but "enabled": each stands for a field that is not passed over.
func TestWhatFeaturesEnableIsNotIgnored(t *testing.T) {
	needRoot(t, "the configuration is one without a user namespace")
	b := newBox(t)
	f := b.features().Linux
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 0, Size: 1}}
	for name, c := range map[string]struct {
		enabled *bool
		edit    edit
		word    string // in the plan, or in the error of a kernel that lacks it
	}{
		"apparmor":           {f.Apparmor.Enabled, process(func(p *specs.Process) { p.ApparmorProfile = "some-profile" }), "some-profile"},
		"selinux":            {f.Selinux.Enabled, process(func(p *specs.Process) { p.SelinuxLabel = "a:b:c:s0" }), "a:b:c:s0"},
		"intelRdt":           {f.IntelRdt.Enabled, func(s *specs.Spec) { s.Linux.IntelRdt = &specs.LinuxIntelRdt{ClosID: "gold"} }, "intelRdt"},
		"intelRdt schemata":  {f.IntelRdt.Schemata, func(s *specs.Spec) { s.Linux.IntelRdt = &specs.LinuxIntelRdt{Schemata: []string{"L3:0=f\nx"}} }, "linux.intelRdt.schemata[0]"},
		"intelRdt monitored": {f.IntelRdt.Monitoring, func(s *specs.Spec) { s.Linux.IntelRdt = &specs.LinuxIntelRdt{EnableMonitoring: true} }, "intelRdt"},
		"idmap": {f.MountExtensions.IDMap.Enabled, func(s *specs.Spec) {
			s.Mounts = append(s.Mounts, specs.Mount{Destination: "/mnt", Source: "/usr", Options: []string{"bind"}, UIDMappings: ids})
		}, "mounts[5].gidMappings"},
		"netDevices": {f.NetDevices.Enabled, netDevices(map[string]string{"nosuch0": ""}), "network devices"},
		"seccomp":    {f.Seccomp.Enabled, seccomp(rule(specs.ActErrno, "mkdir")), "seccomp"},
	} {
		b.configure(defaultSpec(b.id), c.edit)
		r := b.hull("plan", "--bundle", b.bundle)
		if c.enabled == nil || !*c.enabled || !strings.Contains(r.stdout+r.stderr, c.word) {
			t.Errorf("%s: the plan does not have %q: %s", name, c.word, r)
		}
	}
}
