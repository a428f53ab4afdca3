package libcontainer

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"golang.org/x/sys/unix"

	"hull/cgroups"
	"hull/internal/plan"
	"hull/internal/sys"
)

// stepCgroup joins the cgroups that the stage was not born in: a process with
// one thread that writes 0 to a tasks file does not wait for the lock, and the
// RCU grace period, that moving another process costs.
func stepCgroup(b *build) error {
	b.At("linux.cgroupsPath", "")
	for _, name := range joinPaths(b.cg) {
		r := b.Inherit(func() (*os.File, error) {
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err != nil {
				return nil, fmt.Errorf("linux.cgroupsPath (%s): %w", name, sys.Bare(err))
			}
			return f, nil
		})
		b.At("linux.cgroupsPath", name)
		b.Syscall("join the cgroup", unix.SYS_WRITE, r, plan.Str("0"), plan.N(1))
		b.Close(r)
	}
	if b.verb == creating && b.ns.new(unix.CLONE_NEWCGROUP) {
		b.At("linux.namespaces", "cgroup")
		b.Unshare(unix.CLONE_NEWCGROUP, "a cgroup namespace")
	}
	return nil
}

// joinPaths are the files of cg into which a process writes 0 to join.
func joinPaths(cg cgroups.Cgroup) []string {
	if cg == nil || bornInside(cg) {
		return nil
	}
	var list []string
	for controller, dir := range cg.Paths() {
		file := "tasks"
		if controller == "" {
			file = "cgroup.procs"
		}
		list = append(list, filepath.Join(dir, file))
	}
	sort.Strings(list)
	return list
}

// bornInside says whether clone3 can make a process inside cg: v2, and Linux 5.7.
func bornInside(cg cgroups.Cgroup) bool {
	_, unified := cg.Paths()[""]
	return unified && len(cg.Paths()) == 1 && sys.HasClone3()
}
