package torture

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/sys/mountinfo"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/tests/proc"
)

// The containers' names and their cgroups', in the way of nobody else.
var (
	id          = fmt.Sprintf("hull-torture-%d", os.Getpid())
	bystanderID = id + "-bystander"
)

// world is a bundle, a state root, and a way to see what belongs to them.
type world struct {
	t       *testing.T
	dir     string
	runtime string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), runtime: *tested}
	if w.runtime == "" {
		w.runtime = "../../hull"
	}
	path, err := exec.LookPath(w.runtime)
	if err == nil {
		w.runtime, err = filepath.Abs(path)
	}
	w.check(err)
	w.check(os.Mkdir(filepath.Join(w.dir, "root"), 0o700))
	busybox, err := exec.LookPath("busybox")
	w.check(err)
	program, err := os.ReadFile(busybox)
	w.check(err)
	for name, id := range map[string]string{"bundle": id, "bystander": bystanderID} {
		dir := filepath.Join(w.dir, name)
		w.check(os.MkdirAll(filepath.Join(dir, "rootfs/bin"), 0o755))
		w.check(os.WriteFile(filepath.Join(dir, "rootfs/bin/sleep"), program, 0o755))
		config, err := json.Marshal(spec(id))
		w.check(err)
		w.check(os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600))
	}
	if rest := w.leftovers(); len(rest) > 0 {
		t.Fatalf("there before anything was done: %v", rest)
	}
	t.Cleanup(w.reset)
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// spec is a configuration that every runtime takes.
func spec(id string) *specs.Spec {
	caps := []string{"CAP_KILL", "CAP_NET_BIND_SERVICE"}
	pids, memory := int64(50), int64(64<<20)
	s := &specs.Spec{
		Version:  "1.0.2",
		Root:     &specs.Root{Path: "rootfs"},
		Hostname: "torture",
		Process: &specs.Process{
			Args: []string{"/bin/sleep", "1000"}, Env: []string{"PATH=/bin"}, Cwd: "/", NoNewPrivileges: true,
			Capabilities: &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps},
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755", "size=65536k"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance"}},
			{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev"}},
			{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		},
		Hooks: &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/true"}}},
		Linux: &specs.Linux{
			CgroupsPath:   "/" + id,
			MaskedPaths:   []string{"/proc/kcore", "/proc/keys", "/sys/firmware"},
			ReadonlyPaths: []string{"/proc/bus", "/proc/sys"},
			Resources:     &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &pids}, Memory: &specs.LinuxMemory{Limit: &memory}},
		},
	}
	for _, kind := range []specs.LinuxNamespaceType{specs.PIDNamespace, specs.NetworkNamespace, specs.IPCNamespace, specs.UTSNamespace, specs.MountNamespace} {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: kind})
	}
	return s
}

// settled are the leftovers, when the processes that have been killed have come to their ends.
func (w *world) settled() []string {
	w.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); slices.ContainsFunc(w.processes(), proc.Killed) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	return w.leftovers()
}

// describe tells what the processes that are left run, and what they do.
func (w *world) describe() string {
	w.t.Helper()
	var text strings.Builder
	for _, pid := range w.processes() {
		for _, name := range []string{"cmdline", "wchan", "status", "cgroup"} {
			data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
			fmt.Fprintf(&text, "process %d, %s: %q\n", pid, name, data)
		}
	}
	return text.String()
}

// leftovers are the kinds of things that are left.
func (w *world) leftovers() []string {
	w.t.Helper()
	var kinds []string
	add := func(kind string, there bool) {
		if there {
			kinds = append(kinds, kind)
		}
	}
	add("process", len(w.processes()) > 0)
	dirs := w.cgroups()
	add("cgroup", len(dirs) > 0)
	add("frozen", slices.ContainsFunc(dirs, func(dir string) bool {
		state, _ := os.ReadFile(filepath.Join(dir, "freezer.state"))
		return len(state) > 0 && !strings.HasPrefix(string(state), "THAWED")
	}))
	add("mount", len(w.mounts()) > 0)
	entries, err := os.ReadDir(filepath.Join(w.dir, "root"))
	w.check(err)
	add("socket", strings.Contains(w.sockets(), w.dir+"/"))
	add("state", slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !strings.HasPrefix(e.Name(), "~") && e.Name() != bystanderID }))
	return kinds
}

// processes live in the container's cgroup, or work in our directory.
func (w *world) processes() []int {
	w.t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	w.check(err)
	var pids []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || proc.Ended(pid) {
			continue
		}
		cgroup, _ := os.ReadFile(dir + "/cgroup")
		cwd, _ := os.Readlink(dir + "/cwd")
		if strings.Contains(string(cgroup), "/"+id+"\n") || strings.HasPrefix(cwd, w.dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// cgroups are the container's directories in all hierarchies, innermost first.
func (w *world) cgroups() []string {
	w.t.Helper()
	infos, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	w.check(err)
	var dirs []string
	for _, m := range infos {
		_ = filepath.WalkDir(filepath.Join(m.Mountpoint, id), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
	}
	slices.Reverse(dirs)
	return dirs
}

// sockets is the kernel's list of those that have a name.
func (w *world) sockets() string {
	w.t.Helper()
	data, err := os.ReadFile("/proc/net/unix")
	w.check(err)
	return string(data)
}

func (w *world) mounts() []*mountinfo.Info {
	w.t.Helper()
	infos, err := mountinfo.GetMounts(mountinfo.PrefixFilter(w.dir))
	w.check(err)
	return infos
}

// reset removes what the runtime has not.
func (w *world) reset() {
	w.t.Helper()
	dirs := w.cgroups()
	for _, dir := range dirs {
		_ = os.WriteFile(filepath.Join(dir, "freezer.state"), []byte("THAWED"), 0o600)
	}
	for deadline := time.Now().Add(10 * time.Second); len(w.processes()) > 0; time.Sleep(time.Millisecond) {
		for _, pid := range w.processes() {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("processes do not die: %v", w.processes())
		}
	}
	for _, m := range slices.Backward(w.mounts()) {
		_ = unix.Unmount(m.Mountpoint, unix.MNT_DETACH)
	}
	for _, dir := range dirs {
		err := os.Remove(dir)
		for deadline := time.Now().Add(10 * time.Second); errors.Is(err, unix.EBUSY) && time.Now().Before(deadline); err = os.Remove(dir) {
			time.Sleep(time.Millisecond) // a process that has ended is in it until its parent knows
		}
		if err != nil && !os.IsNotExist(err) {
			w.t.Error(fmt.Errorf("reset: %w", err))
		}
	}
	w.check(os.RemoveAll(filepath.Join(w.dir, "root", id)))
}
