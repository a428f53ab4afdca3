package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// madeMark is the extended attribute by which hull knows the parents that it
// made itself. Delete removes those, and only those, once they are empty:
// whichever container is the last, and without a record that could be lost.
var madeMark = []string{"trusted.hull.made", "user.hull.made"}

// makeDirs makes the directory path with its missing parents, and lists what it made.
//
// Somebody may be removing a parent that is empty still: then it starts again.
func makeDirs(path string) (made []string, err error) {
	for range 100 {
		err = unix.Mkdir(path, 0o755)
		switch {
		case err == nil:
			return append(made, path), nil
		case errors.Is(err, unix.EEXIST):
			return made, nil
		case !errors.Is(err, unix.ENOENT):
			return made, &fs.PathError{Op: "mkdir", Path: path, Err: err}
		}
		parents, err := makeDirs(filepath.Dir(path))
		made = append(made, parents...)
		if err != nil {
			return made, err
		}
		for _, p := range parents {
			mark(p)
		}
	}
	return made, &fs.PathError{Op: "mkdir", Path: path, Err: err}
}

// mark notes that hull made a directory. A user may only use the second
// name, and only on v2; where neither is possible, the directory will stay.
func mark(path string) {
	for _, name := range madeMark {
		if unix.Setxattr(path, name, []byte("1"), 0) == nil {
			return
		}
	}
}

func marked(path string) bool {
	return slices.ContainsFunc(madeMark, func(name string) bool {
		_, err := unix.Getxattr(path, name, nil)
		return err == nil
	})
}

// undo removes what makeDirs made, children first.
func undo(made []string) {
	for _, path := range slices.Backward(made) {
		_ = unix.Rmdir(path)
	}
}

// refuseBusy refuses an existing cgroup with processes in it or below: the
// container's limits would be theirs, and they would die with it.
func refuseBusy(path string) error {
	pids, err := pidsBelow(path)
	if err != nil {
		return err
	}
	if len(pids) > 0 {
		return fmt.Errorf("linux.cgroupsPath (%s): the cgroup exists and has processes, such as %d: %w", path, pids[0], unix.EBUSY)
	}
	return nil
}

// refuseFrozen refuses a cgroup that is frozen, or lies in one that is: the
// container would stop on entering it.
func refuseFrozen(path, file, word string) error {
	d, err := openDir(path)
	if err != nil {
		return err
	}
	defer d.close()
	text, err := d.read(file)
	if err == nil && strings.Contains(text, word) {
		return fmt.Errorf("linux.cgroupsPath (%s): the cgroup, or one above it, is frozen: %w", path, unix.EBUSY)
	}
	if errors.Is(err, unix.ENOENT) { // the top of the hierarchy, or Linux < 5.2
		return nil
	}
	return err
}

// refuse refuses an unfit cgroup, of which the directories made are new.
func (c *v2) refuse(made []string) error {
	if !slices.Contains(made, c.path) {
		if err := refuseBusy(c.path); err != nil {
			return err
		}
	}
	return refuseFrozen(c.path, "cgroup.events", "frozen 1")
}

// inheritCpuset gives a new cgroup of v1 the CPUs and memory nodes of its
// parent: it begins with none, and takes no process before it has some.
func inheritCpuset(path string) error {
	d, err := openDir(path)
	if err != nil {
		return err
	}
	defer d.close()
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		if _, err := d.inherit(file); err != nil {
			return fmt.Errorf("cgroup %s: cannot be inherited: %w", filepath.Join(path, file), err)
		}
	}
	return nil
}

// inherit is the content of a file; when it is empty, it takes the parent's.
func (d *dir) inherit(file string) (string, error) {
	text, err := d.read(file)
	if err != nil || text != "" {
		return text, err
	}
	parent, err := openDir(filepath.Dir(d.path))
	if err != nil {
		return "", err
	}
	defer parent.close()
	if text, err = parent.inherit(file); err != nil {
		return "", err
	}
	return text, d.write(file, text)
}

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
	for _, name := range strings.Fields(available) {
		if (controller == "" || controller == name) && !slices.Contains(strings.Fields(enabled), name) {
			missing = append(missing, "+"+name)
		}
	}
	if len(missing) == 0 || d.write("cgroup.subtree_control", strings.Join(missing, " ")) == nil {
		return nil
	}
	for _, word := range missing { // perhaps only one of them is refused
		_ = d.write("cgroup.subtree_control", word)
	}
	return nil
}

// openFile opens a file of the cgroup at path, to hand it on.
func openFile(path, name string, flags int) (*os.File, error) {
	d, err := openDir(path)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.file(name, flags)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
