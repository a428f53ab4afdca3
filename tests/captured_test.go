package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/tests/image"
	"hull/tests/proc"
)

// What podman, docker, containerd and buildah gave to the runtime, word for
// word but for names and numbers of the machine: testdata/engines/README.md.
func TestBundlesOfEnginesRunUnchanged(t *testing.T) {
	needCall(t, "pidfd_open")
	needCall(t, "pidfd_send_signal")
	needRoot(t, "it makes namespaces outside a user namespace")
	files, err := filepath.Glob("testdata/engines/*/config.json")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d bundles: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) { capturedBundle(t, file) })
	}
}

func capturedBundle(t *testing.T, file string) {
	b := newBox(t)
	var s specs.Spec
	text := b.read(file)
	b.check(json.Unmarshal([]byte(text), &s))
	rootless := strings.HasSuffix(filepath.Dir(file), "-rootless")
	if hosts, err := hierarchies(); err != nil || len(hosts) < 2 {
		t.Skip("the bundles are of a machine with cgroup v1, whose limits this one does not have")
	}
	b.spec, b.id = &s, strings.TrimPrefix(filepath.Base(s.Linux.CgroupsPath), "libpod-")
	if s.Linux.CgroupsPath == "" {
		b.id = filepath.Base(filepath.Dir(file))
	}
	b.writeConfig(text)
	b.binary = b.path("hull")
	b.check(image.Copy(hullPath, b.binary, 0o755))
	b.root = "/state/hull"
	w := newWorld(b, &s, rootless)

	flags := []string{"--pid-file", b.path("pid")}
	console := ""
	if s.Process.Terminal {
		console = b.path("console")
		flags = append(flags, "--console-socket", console)
	}
	r := w.run(flags, console)
	if r != nil {
		wantAsked(t, r, &s, s.Process)
	}
	if s.Hooks != nil && len(s.Hooks.Prestart) > 0 && !strings.Contains(b.read(w.root+"/run/libnetwork-setkey"), `"id":"`+b.id+`"`) {
		t.Error("the hook got no state")
	}
	if slices.Contains(s.Process.Args, "pause") || r == nil {
		w.execs(filepath.Dir(file))
		b.must("kill", b.id, "KILL")
	}
	b.ended(w.pid)
	b.wantStatus("stopped")
	b.must("delete", b.id)
	b.must("delete", "--force", b.id)
	if out := b.must("list", "-q").stdout; out != "" {
		t.Errorf("left behind: %s", out)
	}
}

// run creates and starts the container, and returns what its probe reports, if it has one.
func (w *world) run(flags []string, console string) *report {
	b := w.b
	b.t.Helper()
	if console != "" {
		l := b.listen("console")
		b.create(flags...)
		master, _ := b.receiveOne(l)
		w.pid = w.find()
		b.must("start", b.id)
		return parseReport(b.t, newTerminal(b.t, master).line())
	}
	l := b.create(flags...)
	w.pid = w.find()
	b.must("start", b.id)
	if !slices.Contains(b.spec.Process.Args, "report") {
		b.wantStatus("running")
		return nil
	}
	return parseReport(b.t, l.line())
}

// find is the number that the container's process has outside of the world.
func (w *world) find() int {
	w.b.t.Helper()
	inner := w.b.read(w.b.path("pid"))
	files, err := filepath.Glob("/proc/[0-9]*/status")
	w.b.check(err)
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if ids := strings.Fields(proc.Field(string(text), "NSpid")); len(ids) > 1 && ids[1] == inner {
			pid, err := strconv.Atoi(ids[0])
			w.b.check(err)
			return pid
		}
	}
	w.b.t.Fatalf("no process has the number %s in a namespace", inner)
	return 0
}

// execs runs the processes that the engine ran in the container.
func (w *world) execs(dir string) {
	b := w.b
	b.t.Helper()
	files, err := filepath.Glob(dir + "/exec-*.json")
	b.check(err)
	for _, file := range files {
		var p specs.Process
		text := b.read(file)
		b.check(json.Unmarshal([]byte(text), &p))
		flags := []string{"exec", "--process", b.file(filepath.Base(file), text)}
		if p.Terminal {
			l := b.listen(filepath.Base(file) + ".sock")
			b.must(append(flags, "--detach", "--console-socket", b.path(filepath.Base(file)+".sock"), b.id)...)
			master, _ := b.receiveOne(l)
			out := newTerminal(b.t, master).line()
			if p.Args[0] == "tty" && out != "/dev/pts/0" {
				b.t.Errorf("%s: %q", file, out)
			}
			continue
		}
		out := b.must(append(flags, b.id)...).stdout
		switch p.Args[0] {
		case "probe":
			if p.Args[1] == "report" {
				wantAsked(b.t, parseReport(b.t, out), b.spec, &p)
			}
		case "id":
			if !strings.HasPrefix(out, "uid=1000(user)") {
				b.t.Errorf("%s: %q", file, out)
			}
		case "/bin/sh":
			if out != "well\n" {
				b.t.Errorf("%s: %q", file, out)
			}
		}
	}
}

// masked says whether something stands before path.
func (r *report) masked(path string) bool {
	m := r.mount(path)
	return m != nil && (m.Root == "/null" || m.FSType == "tmpfs")
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
