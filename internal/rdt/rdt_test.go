package rdt

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// fake is a directory in the place of resctrl, which fills directories as the kernel does and keeps all that is written.
func fake(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	oldRoot, oldMake, oldRemove := findRoot, makeDir, remove
	t.Cleanup(func() { findRoot, makeDir, remove = oldRoot, oldMake, oldRemove })
	findRoot = func() (string, error) { return root, nil }
	makeDir = func(dir string) error {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		return fill(dir)
	}
	remove = func(dir string) error {
		if _, err := os.Stat(dir); err != nil {
			return unix.ENOENT
		}
		return os.RemoveAll(dir)
	}
	if err := fill(root); err != nil {
		t.Fatal(err)
	}
	return root
}

func fill(dir string) error {
	for _, name := range []string{"tasks", "schemata"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			return err
		}
	}
	if filepath.Base(filepath.Dir(dir)) == "mon_groups" {
		return nil
	}
	return os.Mkdir(filepath.Join(dir, "mon_groups"), 0o755)
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func create(t *testing.T, id string, r *specs.LinuxIntelRdt) *Group {
	t.Helper()
	g, err := New(id, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Create(r); err != nil {
		t.Fatal(err)
	}
	if err := g.Add(4711); err != nil {
		t.Fatal(err)
	}
	return g
}

func exists(path ...string) bool {
	_, err := os.Stat(filepath.Join(path...))
	return err == nil
}

func TestClassOfTheContainersNameComesAndGoesWithIt(t *testing.T) {
	root := fake(t)
	g := create(t, "box", &specs.LinuxIntelRdt{EnableMonitoring: true, MemBwSchema: "MB:0=20"})
	if got := read(t, root, "box/tasks"); got != "4711\n" {
		t.Errorf("tasks of the class: %q", got)
	}
	if got := read(t, root, "box/mon_groups/box/tasks"); got != "4711\n" {
		t.Errorf("tasks of the monitoring group: %q", got)
	}
	if got := read(t, root, "box/schemata"); got != "MB:0=20\n" {
		t.Errorf("schemata: %q", got)
	}
	for range 2 { // it can be repeated
		if err := g.Delete(); err != nil {
			t.Error(err)
		}
	}
	if exists(root, "box") {
		t.Error("the class is still there")
	}
}

func TestSchemataAreWrittenInTheOrderOfTheSpec(t *testing.T) {
	var got []string
	for _, l := range lines(&specs.LinuxIntelRdt{Schemata: []string{"L2:0=f", "MB:0=30"}, MemBwSchema: "MB:0=20", L3CacheSchema: "L3:0=7f"}) {
		got = append(got, l.Field+" "+l.Text)
	}
	const want = "linux.intelRdt.l3CacheSchema L3:0=7f, linux.intelRdt.memBwSchema MB:0=20, " +
		"linux.intelRdt.schemata[0] L2:0=f, linux.intelRdt.schemata[1] MB:0=30"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestNamedClassIsMadeAndStays(t *testing.T) {
	root := fake(t)
	r := &specs.LinuxIntelRdt{ClosID: "gold", Schemata: []string{"L3:0=7f"}, EnableMonitoring: true}
	g := create(t, "box", r)
	if got := read(t, root, "gold/schemata"); got != "L3:0=7f\n" {
		t.Errorf("schemata: %q", got)
	}
	if err := g.Delete(); err != nil {
		t.Error(err)
	}
	if !exists(root, "gold") || exists(root, "gold/mon_groups/box") {
		t.Error("delete removes the monitoring group, and only that")
	}
}

func TestUndoRemovesWhatCreateMade(t *testing.T) {
	root := fake(t)
	g := create(t, "box", &specs.LinuxIntelRdt{ClosID: "gold", Schemata: []string{"L3:0=7f"}, EnableMonitoring: true})
	if err := g.Undo(); err != nil {
		t.Error(err)
	}
	if exists(root, "gold") {
		t.Error("the class is still there")
	}
}

func TestDefaultClassIsTheRoot(t *testing.T) {
	root := fake(t)
	g := create(t, "box", &specs.LinuxIntelRdt{ClosID: "/"})
	if got := read(t, root, "tasks"); got != "4711\n" {
		t.Errorf("tasks: %q", got)
	}
	if got := read(t, root, "schemata"); got != "" {
		t.Errorf("schemata were written: %q", got)
	}
	if err := g.Delete(); err != nil || !exists(root) {
		t.Errorf("delete: %v", err)
	}
}

func TestClassThatIsThereHasToMatch(t *testing.T) {
	root := fake(t)
	if err := makeDir(filepath.Join(root, "gold")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "gold/schemata"), []byte("    L3:0=007f;1=00ff\n    MB:0= 20;1=100\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, same := range []specs.LinuxIntelRdt{
		{}, {L3CacheSchema: "L3:0=7f;1=ff"}, {L3CacheSchema: "L3:1=FF", MemBwSchema: "MB:0=20;1=100"}, {Schemata: []string{"L3:0=1"}},
	} {
		same.ClosID = "gold"
		if _, err := New("box", &same); err != nil {
			t.Errorf("%+v: %v", same, err)
		}
	}
	_, err := New("box", &specs.LinuxIntelRdt{ClosID: "gold", MemBwSchema: "MB:0=20;1=90"})
	want := "linux.intelRdt.memBwSchema (MB:0=20;1=90): the class of service " + root + "/gold is there already, and has MB:0= 20;1=100"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestRefusesWhatIsMissingOrInTheWay(t *testing.T) {
	root := fake(t)
	if err := makeDir(filepath.Join(root, "box")); err != nil {
		t.Fatal(err)
	}
	if err := makeDir(filepath.Join(root, "mon_groups/watched")); err != nil {
		t.Fatal(err)
	}
	for want, try := range map[string]func() error{
		"linux.intelRdt: " + root + "/box is in the way: there is a class of service of the container's name: file exists": func() error {
			_, err := New("box", &specs.LinuxIntelRdt{})
			return err
		},
		"linux.intelRdt.closID (gold): there is no class of service of this name, and no schema to make one with: no such file or directory": func() error {
			_, err := New("other", &specs.LinuxIntelRdt{ClosID: "gold"})
			return err
		},
		"linux.intelRdt.enableMonitoring (" + root + "/mon_groups/watched): there is a monitoring group of the container's name: file exists": func() error {
			_, err := New("watched", &specs.LinuxIntelRdt{ClosID: "/", EnableMonitoring: true})
			return err
		},
		"linux.intelRdt.closID (" + root + "/full): the processor has no more classes of service: no space left on device": func() error {
			r := &specs.LinuxIntelRdt{}
			g, err := New("full", r)
			if err != nil {
				return err
			}
			makeDir = func(string) error { return unix.ENOSPC }
			return g.Create(r)
		},
	} {
		if err := try(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestSaysWhatResctrlSays(t *testing.T) {
	root := fake(t)
	g := create(t, "box", &specs.LinuxIntelRdt{})
	if err := os.Mkdir(filepath.Join(root, "info"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "info/last_cmd_status"), []byte("Unknown or unsupported resource name 'L9'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	schemata := filepath.Join(g.Class, "schemata")
	if err := errors.Join(os.Remove(schemata), os.Symlink("/dev/full", schemata)); err != nil {
		t.Fatal(err)
	}
	err := g.Write(Schemas("", "", "--mem-bw-schema", "L9:0=1"))
	want := `--mem-bw-schema: write "L9:0=1" to ` + schemata + ": Unknown or unsupported resource name 'L9': no space left on device"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestTellsTheLinesThatAnUpdateWillReplace(t *testing.T) {
	fake(t)
	g := create(t, "box", &specs.LinuxIntelRdt{})
	if err := os.WriteFile(filepath.Join(g.Class, "schemata"), []byte("    MB:0=100;1=100\n    L3:0=f;1=f\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	list, err := g.InForce(Schemas("a", "L3:0=3", "b", ""))
	if want := []Line{{"a", "L3:0=f;1=f"}}; err != nil || !slices.Equal(list, want) {
		t.Errorf("got %v, %v, want %v", list, err, want)
	}
}
