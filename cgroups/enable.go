package cgroups

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// offers says that the hierarchy has the controller, at its top.
func (c *v2) offers(controller string) bool {
	top, err := openDir(c.top())
	if err != nil {
		return false
	}
	defer top.close()
	text, _ := top.read("cgroup.controllers")
	return slices.Contains(strings.Fields(text), controller)
}

// top is the directory that the unified hierarchy is mounted on: the topmost
// one above c.path that is on a cgroup2 file system.
func (c *v2) top() string {
	top := c.path
	for dir := filepath.Dir(c.path); ; dir = filepath.Dir(dir) {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil || st.Type != unix.CGROUP2_SUPER_MAGIC {
			return top
		}
		top = dir
		if dir == "/" {
			return top
		}
	}
}

// enable gives c a controller, or with "" all that are to be had, by enabling
// it in every cgroup above, top down. A parent that refuses is no error here:
// it has processes, or belongs to somebody else. What is missing in the end is
// reported by the setting that needs it.
func (c *v2) enable(controller string) error {
	below, err := filepath.Rel(c.top(), c.path)
	if err != nil {
		return err
	}
	path := c.top()
	for name := range strings.SplitSeq(below, "/") {
		if err := enableIn(path, controller); err != nil {
			return err
		}
		path = filepath.Join(path, name)
	}
	return nil
}

// enableIn enables a controller, or all that are to be had, for the children of path.
func enableIn(path, controller string) error {
	d, err := openDir(path)
	if err != nil {
		return err
	}
	defer d.close()
	available, err := d.read("cgroup.controllers")
	if err != nil {
		return err
	}
	enabled, err := d.read("cgroup.subtree_control")
	if err != nil {
		return err
	}
	var missing []string
	for name := range strings.FieldsSeq(available) {
		if (controller == "" || controller == name) && !slices.Contains(strings.Fields(enabled), name) {
			missing = append(missing, "+"+name)
		}
	}
	if len(missing) == 0 || d.occupied() {
		return nil
	}
	err = d.write("cgroup.subtree_control", strings.Join(missing, " "))
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
		for _, word := range missing { // one of them is refused: cpu, where real-time processes run
			_ = d.write("cgroup.subtree_control", word)
		}
	}
	return nil
}

// occupied says that d has processes that keep it from giving controllers to
// its children (cgroups(7), "no internal processes"). Only the root may do both.
//
// The kernel must not be asked: it refuses most controllers, but a few it
// gives, and makes d `domain threaded`, in whose children nothing can run.
func (d *dir) occupied() bool {
	if !d.exists("cgroup.type") {
		return false
	}
	pids, err := d.procs()
	return err == nil && len(pids) > 0
}
