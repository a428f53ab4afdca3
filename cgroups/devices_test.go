package cgroups

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// randomRules draws from few numbers so that rules meet often.
func randomRules(r *rand.Rand) []deviceRule {
	rules := make([]deviceRule, r.IntN(7))
	for i := range rules {
		rules[i] = deviceRule{
			allow: r.IntN(3) > 0, kind: "abc"[r.IntN(3)],
			major: int64(r.IntN(4)) - 1, minor: int64(r.IntN(4)) - 1, access: uint8(1 + r.IntN(7)),
		}
		if r.IntN(6) == 0 {
			rules[i] = deviceRule{allow: r.IntN(2) > 0, kind: 'a', major: -1, minor: -1, access: accessAll}
		}
	}
	return rules
}

func allAccesses() []access {
	var list []access
	for _, kind := range []byte{'b', 'c'} {
		for major := range int64(4) {
			for minor := range int64(4) {
				for bits := accessMknod; bits <= accessAll; bits++ {
					list = append(list, access{kind, major, minor, bits})
				}
			}
		}
	}
	return list
}

func TestDeviceRulesMeanTheSameOnV1AndV2(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	accesses, held := allAccesses(), 0
	for range 2000 {
		rules := randomRules(r)
		code := deviceCode(rules)
		set, err := deviceSetOf(rules)
		if err == nil {
			held++
		}
		for _, a := range accesses {
			want := allows(rules, a)
			if got := interpret(t, code, a); got != want {
				t.Fatalf("v2: %+v: %c %d:%d %s is %v", rules, a.kind, a.major, a.minor, accessText(a.bits), got)
			}
			if got := set.kernelAllows(a); err == nil && got != want {
				t.Fatalf("v1: %+v became %+v: %c %d:%d %s is %v", rules, set, a.kind, a.major, a.minor, accessText(a.bits), got)
			}
		}
	}
	if held < 500 {
		t.Errorf("only %d of the lists could be expressed on v1", held)
	}
}

// kernelWrites applies writes to a v1 list as the kernel does.
func kernelWrites(set deviceSet, writes []deviceWrite) deviceSet {
	for _, w := range writes {
		allow := w.file == "devices.allow"
		if w.value == "a" {
			set = deviceSet{allowAll: allow}
			continue
		}
		one, _ := parseDevices(w.value)
		e := one.exceptions[0]
		if allow != set.allowAll {
			set.add(e)
			continue
		}
		for i, old := range set.exceptions { // the very same numbers only
			if old.covers(e) && e.covers(old) {
				set.exceptions[i].access &^= e.access
			}
		}
		set.exceptions = slices.DeleteFunc(set.exceptions, func(e exception) bool { return e.access == 0 })
	}
	return set
}

func TestTransitionsReachTheNewList(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	accesses := allAccesses()
	for range 2000 {
		from, err := deviceSetOf(randomRules(r))
		to, err2 := deviceSetOf(randomRules(r))
		if err != nil || err2 != nil {
			continue
		}
		writes := transition(from, to)
		reached := kernelWrites(deviceSet{from.allowAll, slices.Clone(from.exceptions)}, writes)
		for _, a := range accesses {
			if reached.kernelAllows(a) != to.kernelAllows(a) {
				t.Fatalf("from %+v to %+v by %v: reached %+v", from, to, writes, reached)
			}
		}
	}
}

func TestTransitionKeepsWhatBothListsAllow(t *testing.T) {
	from, _ := parseDevices("c 1:3 rwm\nc 5:0 rw\n")
	to, _ := parseDevices("c 1:3 rw\nc 10:229 rwm\n")
	got := transition(from, to)
	want := []deviceWrite{
		{"devices.allow", "c 10:229 rwm"},
		{"devices.deny", "c 1:3 m"},
		{"devices.deny", "c 5:0 rw"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRefusesDeviceRules(t *testing.T) {
	n := func(n int64) *int64 { return &n }
	for _, tt := range []struct {
		rule specs.LinuxDeviceCgroup
		want string
	}{
		{specs.LinuxDeviceCgroup{Type: "x"}, "linux.resources.devices[1].type (x): must be a, b or c"},
		{specs.LinuxDeviceCgroup{Access: "rx"}, "linux.resources.devices[1].access (rx): must be made of r (read), w (write) and m (mknod)"},
		{specs.LinuxDeviceCgroup{Major: n(-2)}, "linux.resources.devices[1].major (-2): must be a device number, or be left out to match all"},
		{specs.LinuxDeviceCgroup{Minor: n(1 << 31)}, "linux.resources.devices[1].minor (2147483648): must be a device number, or be left out to match all"},
	} {
		_, err := deviceRules([]specs.LinuxDeviceCgroup{{Allow: true}, tt.rule})
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestRefusesOnV1ARuleThatTheKernelWouldIgnore(t *testing.T) {
	n := func(n int64) *int64 { return &n }
	rules, err := deviceRules([]specs.LinuxDeviceCgroup{
		{Allow: true, Type: "c", Major: n(10), Access: "rwm"},
		{Allow: false, Type: "c", Major: n(10), Minor: n(229), Access: "rwm"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = deviceSetOf(rules)
	want := "linux.resources.devices[1] (c 10:229 rwm): cgroup v1 cannot except this from the earlier rule c 10:* rwm"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDefaultDeviceRulesOpenNoDeviceOfTheHost(t *testing.T) {
	rules, err := deviceRules(DefaultDeviceRules())
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]access{
		"mem": {'c', 1, 1, accessRead}, "console": {'c', 5, 1, accessRead}, "tun": {'c', 10, 200, accessRead}, "sda": {'b', 8, 0, accessRead},
	} {
		if allows(rules, a) {
			t.Errorf("%s may be opened", name)
		}
	}
	if !allows(rules, access{'c', 136, 7, accessAll}) || !allows(rules, access{'b', 8, 0, accessMknod}) {
		t.Error("terminals or mknod are denied")
	}
}

func TestReadsDeviceLists(t *testing.T) {
	set, err := parseDevices("c 1:3 rwm\nb *:* m\n")
	if err != nil || set.allowAll || !slices.Equal(set.exceptions, []exception{{'c', 1, 3, accessAll}, {'b', anyNumber, anyNumber, accessMknod}}) {
		t.Errorf("got %+v, %v", set, err)
	}
	if _, err := parseDevices("nonsense\n"); err == nil || !strings.Contains(err.Error(), "cannot understand") {
		t.Errorf("got %v", err)
	}
}
