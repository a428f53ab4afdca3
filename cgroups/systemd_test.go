package cgroups

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"hull/internal/dbus"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestReadsSlicePrefixName(t *testing.T) {
	for path, want := range map[string]string{
		"":                               "/system.slice/hull-id.scope",
		"::c":                            "/system.slice/c.scope",
		":docker:c":                      "/system.slice/docker-c.scope",
		"machine.slice:libpod:c1":        "/machine.slice/libpod-c1.scope",
		"-:p:c":                          "/p-c.scope",
		"-.slice:p:c":                    "/p-c.scope",
		"a-b-c.slice:p:c":                "/a.slice/a-b.slice/a-b-c.slice/p-c.scope",
		`kubepods-pod1\x2d2.slice:cri:c`: `/kubepods.slice/kubepods-pod1\x2d2.slice/cri-c.scope`,
		"system.slice:p:a+b":             `/system.slice/p-a\x2bb.scope`,
		"system.slice::c.scope":          "/system.slice/c.scope",
		"system.slice::_c":               "/system.slice/__c.scope",
	} {
		u, err := parseUnit(path, "id", false)
		if err != nil || u.path() != want {
			t.Errorf("%s: %s, %v; want %s", path, u.path(), err, want)
			continue
		}
		if got := unitOf(map[string]string{"": "/sys/fs/cgroup" + u.path()}); got.name != u.name {
			t.Errorf("%s: loaded as %s, made as %s", path, got.name, u.name)
		}
	}
	if u, err := parseUnit("", "id", true); err != nil || u.path() != "/user.slice/hull-id.scope" {
		t.Errorf("rootless: %s, %v", u.path(), err)
	}
}

func TestRefusesWhatIsNotSlicePrefixName(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b":                          "must be slice:prefix:name",
		"a:b:c:d":                       "must be slice:prefix:name",
		"a:b:c":                         "the slice must be a name such as",
		"a/b.slice:b:c":                 "the slice must be a name such as",
		"-a.slice:b:c":                  "the slice must be a name such as",
		"a--b.slice:b:c":                "the slice must be a name such as",
		".slice:b:c":                    "the slice must be a name such as",
		"system.slice:b:":               "the name is missing",
		"system.slice:b:c.slice":        "a slice has no processes",
		"::" + strings.Repeat("x", 250): "makes a unit name of more than 255 letters",
	} {
		if u, err := parseUnit(path, "id", false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s became %+v, %v; want %s", path, u, err, want)
		}
	}
}

func TestReadsPropertiesFromAnnotations(t *testing.T) {
	list, err := annotated(map[string]string{
		"org.systemd.property.TimeoutStopSec": "uint64 5", "org.systemd.property.CollectMode": "'inactive-or-failed'",
		"org.systemd.property.RuntimeMaxUSec": "uint64 7", "other": "x",
	})
	want := []property{
		{"CollectMode", dbus.Variant{Signature: "s", Value: "inactive-or-failed"}},
		{"RuntimeMaxUSec", dbus.Variant{Signature: "t", Value: uint64(7)}},
		{"TimeoutStopUSec", dbus.Variant{Signature: "t", Value: uint64(5000000)}},
	}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("got %v, %v", list, err)
	}
	for key, text := range map[string]string{"Ab": "1", "Abc1": "1", "Abc": "unquoted", "AbcSec": "'text'", "AbSec": "-1.0", "Abc Sec": "1"} {
		if list, err := annotated(map[string]string{PropertyAnnotation + key: text}); err == nil {
			t.Errorf("%s = %s became %v", key, text, list)
		}
	}
}

func TestTellsSystemdTheLimits(t *testing.T) {
	r := &specs.LinuxResources{
		Memory:  &specs.LinuxMemory{Limit: new(int64(100)), Swap: new(int64(300)), Reservation: new(int64(50))},
		CPU:     &specs.LinuxCPU{Shares: new(uint64(1024)), Quota: new(int64(1)), Period: new(uint64(3)), Cpus: "0,9"},
		Pids:    &specs.LinuxPids{Limit: new(int64(-1))},
		BlockIO: blockIO(),
		Unified: map[string]string{"memory.high": "max", "cpu.max": "max 50000", "io.weight": "default 7", "memory.oom.group": "1"},
	}
	for name, tt := range map[string]struct {
		c    Cgroup
		want map[string]any
	}{
		"v2": {&v2{path: "/nonexistent"}, map[string]any{
			"MemoryMax": uint64(100), "MemorySwapMax": uint64(200), "MemoryLow": uint64(50), "CPUWeight": uint64(100), "TasksMax": uint64(infinity),
			"CPUQuotaPerSecUSec": uint64(infinity), "CPUQuotaPeriodUSec": uint64(50000), // unified has the last word
			"AllowedCPUs": []any{byte(1), byte(2)}, "MemoryHigh": uint64(infinity), "IOWeight": uint64(7),
			"IOReadBandwidthMax": []any{[]any{"/dev/block/8:0", uint64(1)}}, "IOWriteBandwidthMax": []any{[]any{"/dev/block/8:0", uint64(2)}},
			"IOReadIOPSMax": []any{[]any{"/dev/block/8:0", uint64(3)}}, "IOWriteIOPSMax": []any{[]any{"/dev/block/8:0", uint64(infinity)}},
		}},
		"v1": {&v1{}, map[string]any{
			"MemoryLimit": uint64(100), "CPUShares": uint64(1024), "TasksMax": uint64(infinity), "BlockIOWeight": uint64(10),
			"CPUQuotaPerSecUSec": uint64(340000), "CPUQuotaPeriodUSec": uint64(3),
		}},
	} {
		limits := *r
		if name == "v1" {
			limits.Unified = nil
		}
		list, err := (&systemd{Cgroup: tt.c}).properties(&manager{version: 252}, &limits)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for _, p := range list {
			got[p.name] = p.value.Value
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got  %v\nwant %v", name, got, tt.want)
		}
	}
}

func TestTellsSystemdTheDevicesOfV1(t *testing.T) {
	rules, err := deviceRules(DefaultDeviceRules())
	if err != nil {
		t.Fatal(err)
	}
	set, err := deviceSetOf(rules)
	if err != nil {
		t.Fatal(err)
	}
	properties := deviceProperties(set)
	allowed, _ := properties[2].value.Value.([]any)
	for _, want := range [][]any{{"char-*", "m"}, {"block-*", "m"}, {"/dev/char/1:3", "rwm"}, {"char-pts", "rwm"}} {
		found := false
		for _, entry := range allowed {
			found = found || reflect.DeepEqual(entry, any(want))
		}
		if !found && (want[0] != "char-pts" || exists("/dev/pts/ptmx")) {
			t.Errorf("%v is not in %v", want, allowed)
		}
	}
	if everything := deviceProperties(deviceSet{allowAll: true}); everything[0].value.Value != "auto" {
		t.Errorf("everything is %v", everything)
	}
}

func TestReadsTheDriversOfDevices(t *testing.T) {
	const text = "Character devices:\n  1 mem\n136 pts\n\nBlock devices:\n  8 sd\n136 other\n"
	for _, tt := range []struct {
		kind  byte
		major int64
		want  string
	}{{'c', 136, "pts"}, {'b', 136, "other"}, {'b', 8, "sd"}, {'c', 8, ""}, {'b', 1, ""}} {
		if got := driver(text, tt.kind, tt.major); got != tt.want {
			t.Errorf("%c %d is %q, want %q", tt.kind, tt.major, got, tt.want)
		}
	}
}

func TestSystemdIsAskedOnlyWhereItRuns(t *testing.T) {
	if exists("/run/systemd/system") {
		t.Skip("systemd runs this host")
	}
	_, err := (&Host{V2: true, Mounts: []Mount{{Dir: "/x", Root: "/", Unified: true}}}).New("", "id", Options{Systemd: true})
	if err == nil || err.Error() != "--systemd-cgroup: systemd does not run this host: file does not exist" {
		t.Errorf("got %v", err)
	}
}

// managed is a scope of this host's systemd, or of this user's, with a process in it.
func managed(t *testing.T, path string, r *specs.LinuxResources, o Options) (Cgroup, int) {
	t.Helper()
	if !exists("/run/systemd/system") {
		t.Skip("systemd does not run this host")
	}
	h, err := Detect()
	if err != nil {
		t.Fatal(err)
	}
	o.Systemd, o.Rootless = true, os.Geteuid() != 0
	c, err := h.New(path, "hull-test-"+t.Name(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(); err != nil {
		t.Fatal(err)
	}
	if c.Direct() {
		t.Error("a scope is there without a process")
	}
	pid := process(t, Disabled(), false, "exec sleep 1000").Process.Pid
	t.Cleanup(func() {
		if err := c.Kill(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := c.Delete(); err != nil {
				t.Error(err)
			}
		}
		for _, path := range c.Paths() {
			if exists(path) {
				t.Errorf("%s is left", path)
			}
		}
	})
	if err := c.Place(pid, r); err != nil {
		t.Fatal(err)
	}
	return c, pid
}
