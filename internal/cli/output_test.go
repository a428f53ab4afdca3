package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"

	"hull/libcontainer"
)

func TestTableIsAsRuncPrintsIt(t *testing.T) {
	var out bytes.Buffer
	err := printTable(&out, []libcontainer.State{{
		ID: "ab", Pid: 30658, Status: specs.StateRunning, Bundle: "/tmp/rb",
		Created: time.Date(2026, 11, 21, 10, 5, 49, 971734717, time.UTC), Owner: "root",
	}})
	want := "ID          PID         STATUS      BUNDLE      CREATED                          OWNER\n" +
		"ab          30658       running     /tmp/rb     2026-11-21T10:05:49.971734717Z   root\n"
	if err != nil || out.String() != want {
		t.Errorf("%v, %s", err, out.String())
	}
}

const psTable = `UID        PID  PPID  C STIME TTY          TIME CMD
root         1     0  0 10:05 ?        00:00:00 init
root     30658     1  0 10:05 ?        00:00:00 sleep 100
root     30659     1  0 10:05 ?        00:00:00 sh -c "PID 1"
`

func TestProcessesOfOthersAreLeftOut(t *testing.T) {
	var out bytes.Buffer
	err := printProcesses(&out, psTable, []int{30659, 30658, 7})
	want := strings.ReplaceAll(psTable, "root         1     0  0 10:05 ?        00:00:00 init\n", "")
	if err != nil || out.String() != want {
		t.Errorf("%v, %s", err, out.String())
	}
}

func TestRefusesTableOfProcessesWithoutPIDs(t *testing.T) {
	for table, want := range map[string]string{
		"CMD\nsleep\n": "ps printed no PID column: CMD",
		"":             "ps printed no PID column: ",
		"PID\nabc\n":   `ps printed a pid that is none: strconv.Atoi: parsing "abc": invalid syntax`,
	} {
		if err := printProcesses(&bytes.Buffer{}, table, nil); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", table, err, want)
		}
	}
}

func TestVersionIsWhatEnginesParse(t *testing.T) {
	var out bytes.Buffer
	printVersion(&out, "/usr/local/bin/hull")
	lines := strings.Split(out.String(), "\n")
	if lines[0] != "hull version "+version || !slices.Contains(lines, "spec: "+specs.Version) {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	printVersion(&out, "/usr/bin/runc")
	if !strings.HasPrefix(out.String(), "runc version "+runcVersion+"+hull.") {
		t.Errorf("%s", out.String())
	}
}

func TestFeaturesNameWhatEnginesAskFor(t *testing.T) {
	out, err := hull(t, "features")
	if err != nil {
		t.Fatal(err)
	}
	var f features.Features
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatal(err)
	}
	switch {
	case f.OCIVersionMin != "1.0.0" || f.OCIVersionMax != specs.Version:
		t.Errorf("versions: %s to %s", f.OCIVersionMin, f.OCIVersionMax)
	case !slices.Contains(f.MountOptions, "rro"): // containerd and CRI-O: recursive read-only mounts
		t.Errorf("mountOptions: %v", f.MountOptions)
	case !slices.Contains(f.Linux.Namespaces, "user") || !*f.Linux.MountExtensions.IDMap.Enabled: // user namespaces of pods
		t.Errorf("no user namespaces with idmapped mounts: %s", out)
	case len(f.Linux.Capabilities) < 41 || len(f.Linux.Seccomp.Actions) < 9 || len(f.Hooks) != 6:
		t.Errorf("incomplete: %s", out)
	}
}

func TestSpecIsAValidConfiguration(t *testing.T) {
	for _, flags := range [][]string{nil, {"--rootless"}} {
		dir := t.TempDir()
		if _, err := hull(t, append([]string{"spec", "--bundle", dir}, flags...)...); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		var s specs.Spec
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		if s.Version != specs.Version {
			t.Errorf("ociVersion %s, want %s", s.Version, specs.Version)
		}
		hasUser := slices.ContainsFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.UserNamespace })
		if hasUser != (flags != nil) || len(s.Linux.UIDMappings) != len(flags) {
			t.Errorf("%v: %s", flags, text)
		}
		if _, err := hull(t, "spec", "--bundle", dir); err == nil || !strings.Contains(err.Error(), "config.json exists: move it away first") {
			t.Error(err)
		}
	}
}
