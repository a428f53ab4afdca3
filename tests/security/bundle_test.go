package security

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/sys/mountinfo"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/tests/canary"
	"hull/tests/image"
)

// patience is how long anything may take before it is taken to hang.
const patience = 30 * time.Second

// bundle is a container of a target, and what it must not touch.
type bundle struct {
	*testing.T
	target
	id, dir, rootfs, root string
	spec                  *specs.Spec
	vars                  []string // more variables for the runtime
	wrap                  []string // a command that runs the runtime
	last                  *result
	canaries              map[string]string
}

// result is how a command of the runtime's ended.
type result struct {
	args []string
	code int
	out  string
	err  string
}

func (r *result) String() string {
	return fmt.Sprintf("%s: exit code %d\nstdout: %.1000s\nstderr: %.1000s", strings.Join(r.args, " "), r.code, r.out, r.err)
}

var bundles atomic.Int64

// newBundle makes a bundle with the configuration that `hull spec` gives, for /bin/true.
func newBundle(t *testing.T, g target) *bundle {
	t.Helper()
	b := &bundle{T: t, target: g, canaries: map[string]string{}}
	b.id = fmt.Sprintf("hull-security-%d-%d", os.Getpid(), bundles.Add(1))
	b.dir = filepath.Join(work, b.id)
	b.rootfs, b.root = b.path("rootfs"), b.path("root")
	b.check(os.Mkdir(b.dir, 0o755))
	b.check(image.Clone(base, b.rootfs))
	t.Cleanup(b.cleanup)
	spec := exec.Command(hullPath, "spec", "--bundle", b.dir)
	if out, err := spec.CombinedOutput(); err != nil {
		t.Fatalf("hull spec: %v %s", err, out)
	}
	b.spec = &specs.Spec{}
	b.check(json.Unmarshal(b.read("config.json"), b.spec))
	b.edit(func(s *specs.Spec) {
		s.Version = "1.0.2"
		s.Process.Terminal, s.Process.Args = false, []string{"/bin/true"}
		s.Process.Env = []string{"PATH=/bin"}
		s.Root.Readonly = false
		s.Linux.CgroupsPath = "/" + b.id
	})
	return b
}

func (b *bundle) check(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// path is below the bundle's directory.
func (b *bundle) path(elem ...string) string {
	return filepath.Join(append([]string{b.dir}, elem...)...)
}

func (b *bundle) read(name string) []byte {
	b.Helper()
	data, err := os.ReadFile(b.path(name))
	b.check(err)
	return data
}

// edit changes the configuration.
func (b *bundle) edit(change func(*specs.Spec)) {
	b.Helper()
	change(b.spec)
	data, err := json.MarshalIndent(b.spec, "", "\t")
	b.check(err)
	b.check(os.WriteFile(b.path("config.json"), data, 0o644))
}

// payload is what the container runs: a shell script.
func (b *bundle) payload(script string) {
	b.Helper()
	b.edit(func(s *specs.Spec) { s.Process.Args = []string{"/bin/sh", "-c", script} })
}

// image is below the root file system.
func (b *bundle) image(elem ...string) string {
	return filepath.Join(append([]string{b.rootfs}, elem...)...)
}

// replace puts a link in the image, in place of what is there.
func (b *bundle) replace(name, target string) {
	b.Helper()
	b.check(os.RemoveAll(b.image(name)))
	b.check(os.Symlink(target, b.image(name)))
}

// lure gives the image a directory, or an empty file, of the same name as one of the host:
// a runtime that looks a link up inside the root and follows it outside finds both.
func (b *bundle) lure(path string, dir bool) {
	b.Helper()
	if dir {
		b.check(os.MkdirAll(b.image(path), 0o755))
		return
	}
	b.check(os.MkdirAll(b.image(filepath.Dir(path)), 0o755))
	b.check(os.WriteFile(b.image(path), nil, 0o644))
}

// unmount takes mounts at and below a destination out of the configuration.
func (b *bundle) unmount(destination string) {
	b.Helper()
	b.edit(func(s *specs.Spec) {
		var rest []specs.Mount
		for _, m := range s.Mounts {
			if m.Destination != destination && !strings.HasPrefix(m.Destination, destination+"/") {
				rest = append(rest, m)
			}
		}
		s.Mounts = rest
	})
}

// mount adds a mount to the configuration.
func (b *bundle) mount(destination, kind, source string, options ...string) {
	b.Helper()
	b.edit(func(s *specs.Spec) {
		s.Mounts = append(s.Mounts, specs.Mount{Destination: destination, Type: kind, Source: source, Options: options})
	})
}

// canary makes a directory of the host that nothing may touch.
func (b *bundle) canary(name string) string {
	b.Helper()
	look, err := canary.Make(b.path(name))
	b.check(err)
	b.canaries[b.path(name)] = look
	return b.path(name)
}

// harm is what has happened to the canaries.
func (b *bundle) harm() string {
	b.Helper()
	for dir, before := range b.canaries {
		after, err := canary.Look(dir)
		if err != nil || after != before {
			return fmt.Sprintf("the host's directory was\n%s and is\n%s%v", before, after, err)
		}
	}
	return ""
}

// tries is how often a race is run: on a target that is vulnerable, until it is won.
func (b *bundle) tries() int {
	switch {
	case !b.isHull() || b.fails:
		return 1000
	case os.Getenv("HULL_TORTURE") != "": // make torture
		return 500
	}
	return 30
}

// command is a command of the runtime's.
func (b *bundle) command(ctx context.Context, args ...string) *exec.Cmd {
	line := append(b.line(b.T), append([]string{"--root", b.root}, args...)...)
	line = append(append([]string{}, b.wrap...), line...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir = b.dir
	cmd.Env = append(append(os.Environ(), b.env(b.rootfs)...), b.vars...)
	return cmd
}

// runtime runs a command of the runtime's to its end. Files take its output,
// for containers may keep it open.
func (b *bundle) runtime(args ...string) *result {
	b.Helper()
	if b.asked != nil && (args[0] == "create" || args[0] == "run") {
		b.edit(b.asked)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return b.finish(ctx, b.command(ctx, args...))
}

func (b *bundle) finish(ctx context.Context, cmd *exec.Cmd) *result {
	b.Helper()
	var files [2]*os.File
	for i, name := range []string{"out", "err"} {
		f, err := os.CreateTemp(b.dir, name)
		b.check(err)
		defer f.Close()
		files[i] = f
	}
	if cmd.Stdout == nil {
		cmd.Stdout = files[0]
	}
	cmd.Stderr = files[1]
	err := cmd.Run()
	if ctx.Err() != nil {
		b.Fatalf("%s: did not end in %s", strings.Join(cmd.Args, " "), patience)
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		b.Fatal(err)
	}
	r := &result{args: cmd.Args, code: cmd.ProcessState.ExitCode()}
	for i, text := range []*string{&r.out, &r.err} {
		data, err := os.ReadFile(files[i].Name())
		b.check(err)
		*text = string(data)
	}
	b.last = r
	if strings.Contains(r.err, "goroutine ") && b.isHull() {
		b.Errorf("hull panicked: %s", r)
	}
	return r
}

// run runs the container to its end.
func (b *bundle) run(flags ...string) *result {
	b.Helper()
	return b.runtime(append(append([]string{"run", "--bundle", b.dir}, flags...), b.id)...)
}

// must runs a command that has to succeed, whoever is attacked.
func (b *bundle) must(args ...string) *result {
	b.Helper()
	r := b.runtime(args...)
	if r.code != 0 {
		b.Fatalf("%s", r)
	}
	return r
}

// start makes the container and starts it; it has to live on.
func (b *bundle) start() {
	b.Helper()
	b.must("create", "--bundle", b.dir, b.id)
	b.must("start", b.id)
}

// refused asserts that hull has refused the last command, for a reason with these words in it.
func (b *bundle) refused(words ...string) {
	b.Helper()
	if !b.isHull() || b.fails {
		return
	}
	if b.last.code == 0 || !strings.HasPrefix(b.last.err, "hull: ") {
		b.Errorf("not refused: %s", b.last)
	}
	for _, w := range words {
		if !strings.Contains(b.last.err, w) {
			b.Errorf("the message lacks %q: %s", w, b.last)
		}
	}
}

// worked asserts that hull has done what it was asked: an attack on what fails anyway is none.
func (b *bundle) worked() {
	b.Helper()
	if b.isHull() && !b.fails && b.last.code != 0 {
		b.Errorf("%s", b.last)
	}
}

// cleanup removes the container and what an attack, or a vulnerable runtime, has left.
func (b *bundle) cleanup() {
	b.Helper()
	b.vars, b.wrap = nil, nil
	if entries, err := os.ReadDir(b.root); err == nil && len(entries) > 0 {
		b.runtime("delete", "--force", b.id)
	}
	infos, err := mountinfo.GetMounts(mountinfo.PrefixFilter(b.dir))
	b.check(err)
	for _, m := range slices.Backward(infos) {
		if b.name == hull.name {
			b.Errorf("left a mount at %s", m.Mountpoint)
		}
		b.check(unix.Unmount(m.Mountpoint, unix.MNT_DETACH))
	}
	for _, dir := range b.cgroups() {
		if b.name == hull.name {
			b.Errorf("left %s", dir)
		}
		procs, _ := os.ReadFile(dir + "/cgroup.procs")
		for pid := range strings.FieldsSeq(string(procs)) {
			_ = exec.Command("kill", "-KILL", pid).Run()
		}
		for range 100 {
			if os.Remove(dir) == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	if won := b.harm(); won != "" && b.name == hull.name && !b.Failed() {
		b.Errorf("the canary was harmed: %s", won)
	}
	b.check(os.RemoveAll(b.dir))
}

// cgroups are the container's directories in every hierarchy, innermost first.
func (b *bundle) cgroups() []string {
	b.Helper()
	infos, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	b.check(err)
	var dirs []string
	for _, m := range infos {
		_ = filepath.WalkDir(filepath.Join(m.Mountpoint, b.id), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append([]string{path}, dirs...)
			}
			return nil
		})
	}
	return dirs
}

// pid is the container's first process.
func (b *bundle) pid() int {
	b.Helper()
	var s specs.State
	b.check(json.Unmarshal([]byte(b.must("state", b.id).out), &s))
	return s.Pid
}
