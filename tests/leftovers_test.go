package tests

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"hull/tests/proc"
)

// leftovers lists everything on the host that belongs to the box's container.
func (b *box) leftovers() []string {
	b.t.Helper()
	var left []string
	for _, pid := range b.processes() {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		left = append(left, fmt.Sprintf("process %d %q", pid, cmdline))
	}
	for _, m := range b.mounts() {
		left = append(left, "mount "+m)
	}
	for _, dir := range b.cgroups() {
		left = append(left, "cgroup "+dir)
	}
	for _, unit := range b.units() {
		left = append(left, "unit "+unit)
	}
	for _, s := range b.sockets() {
		left = append(left, "socket "+s)
	}
	entries, err := os.ReadDir(b.root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.t.Error(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "~") { // the cache of seccomp programs is no container's
			left = append(left, "state "+e.Name())
		}
	}
	return left
}

// wantNothingLeft asserts that the last command has left nothing behind.
func (b *box) wantNothingLeft() {
	b.t.Helper()
	if left := b.leftovers(); len(left) > 0 {
		b.t.Errorf("left behind: %s", strings.Join(left, ", "))
	}
}

// processes are the living processes that belong to the box: by the marker in
// their environment, by their cgroup, by their root or their working directory.
func (b *box) processes() []int {
	b.t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	b.check(err)
	var pids []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && pid != os.Getpid() && b.owns(dir) && !proc.Ended(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (b *box) owns(proc string) bool {
	environ, _ := os.ReadFile(proc + "/environ")
	cgroup, _ := os.ReadFile(proc + "/cgroup")
	if slices.Contains(strings.Split(string(environ), "\x00"), markerName+"="+b.id) || strings.Contains(string(cgroup), b.id) {
		return true
	}
	for _, link := range []string{"/cwd", "/root"} {
		if target, err := os.Readlink(proc + link); err == nil && within(target, b.dir) {
			return true
		}
	}
	return false
}

func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// mounts are the mount points below the box's directory, innermost first.
func (b *box) mounts() []string {
	b.t.Helper()
	infos, err := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) { return !within(m.Mountpoint, b.dir), false })
	b.check(err)
	var list []string
	for _, m := range slices.Backward(infos) {
		list = append(list, m.Mountpoint)
	}
	return list
}

// hierarchies are the roots of all mounted cgroup hierarchies.
func hierarchies() ([]string, error) {
	infos, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	if err != nil {
		return nil, err
	}
	var roots []string
	for _, m := range infos {
		roots = append(roots, m.Mountpoint)
	}
	return roots, nil
}

// cgroups are the directories of the box in every hierarchy, innermost first.
func (b *box) cgroups() []string {
	b.t.Helper()
	roots, err := hierarchies()
	b.check(err)
	var dirs []string
	for _, root := range roots {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil { // a cgroup that went away meanwhile
				return nil
			}
			if d.IsDir() && strings.Contains(path, b.id) {
				dirs = append(dirs, path)
			}
			return nil
		})
	}
	slices.Reverse(dirs)
	return dirs
}

// sockets are the unix sockets bound below the box's directory or named after its id.
func (b *box) sockets() []string {
	b.t.Helper()
	var list []string
	for line := range strings.Lines(b.read("/proc/net/unix")) {
		fields := strings.Fields(line)
		if len(fields) < 8 || slices.Contains(b.listening, fields[7]) {
			continue
		}
		if path := fields[7]; within(path, b.dir) || strings.Contains(path, b.id) {
			list = append(list, path)
		}
	}
	return list
}

// sweep removes what a failed test has left, so that the next one is not disturbed.
func (b *box) sweep() {
	b.t.Helper()
	for _, dir := range b.cgroups() {
		if file := filepath.Join(dir, "freezer.state"); strings.Contains(dir, "freezer") {
			_ = os.WriteFile(file, []byte("THAWED"), 0o644)
		}
	}
	for _, pid := range b.processes() {
		_ = unix.Kill(pid, unix.SIGKILL)
		b.ended(pid)
	}
	for _, path := range b.mounts() {
		_ = unix.Unmount(path, unix.MNT_DETACH)
	}
	for _, dir := range b.cgroups() {
		if err := os.Remove(dir); err != nil {
			b.t.Error(err)
		}
	}
}
