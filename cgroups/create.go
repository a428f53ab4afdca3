package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// madeMark is the extended attribute by which hull knows the parents that it
// made itself. Delete removes those, and only those, once they are empty:
// whichever container is the last, and without a record that could be lost.
var madeMark = []string{"trusted.hull.made", "user.hull.made"}

// foundMark is the one by which it knows a container's cgroup that was there
// before: runtime.md, Delete, wants what was not created to stay.
var foundMark = []string{"trusted.hull.found", "user.hull.found"}

// makeDirs makes the directory path with its missing parents, and lists what it made.
//
// Somebody may be removing a parent that is empty still: then it starts again.
func makeDirs(path string) (made []string, err error) {
	for range 100 {
		err = unix.Mkdir(path, 0o755)
		if err == nil {
			return append(made, path), nil
		} else if errors.Is(err, unix.EEXIST) {
			return made, nil
		} else if !errors.Is(err, unix.ENOENT) {
			break
		}
		parents, err := makeDirs(filepath.Dir(path))
		made = append(made, parents...)
		if err != nil {
			return made, err
		}
		if len(parents) > 0 {
			mark(filepath.Dir(path), madeMark)
		}
	}
	return made, fmt.Errorf("linux.cgroupsPath (%s): %s: %w", path, whyNotMade(err), err)
}

func whyNotMade(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "this user may not make cgroups there: it takes one that is delegated to the user"
	case errors.Is(err, unix.EAGAIN):
		return "a cgroup above has reached its cgroup.max.depth or cgroup.max.descendants"
	default:
		return "cannot be made"
	}
}

// mark notes how hull came to a directory. A user may only use the second name, and only on v2; where
// neither is possible, a parent that hull made will stay, and a cgroup that it found will not.
func mark(path string, names []string) {
	for _, name := range names {
		if unix.Setxattr(path, name, []byte("1"), 0) == nil {
			return
		}
	}
}

func marked(path string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := unix.Getxattr(path, name, nil)
		return err == nil
	})
}

// adopt takes a cgroup that was there already, if it fits.
func adopt(path string) error {
	if err := fit(path); err != nil {
		return err
	}
	mark(path, foundMark)
	return nil
}

// undo removes what makeDirs made, children first.
func undo(made []string) {
	for _, path := range slices.Backward(made) {
		_ = unix.Rmdir(path)
	}
}

// fit refuses what Create refuses: an existing cgroup with processes in it or
// below, whose limits the container's would become, and who would die with it.
func fit(path string) error {
	pids, err := pidsBelow(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if len(pids) > 0 {
		return fmt.Errorf("linux.cgroupsPath (%s): the cgroup exists and has processes, such as %d: %w", path, pids[0], unix.EBUSY)
	}
	return nil
}

// refuse refuses a cgroup of which file has the word, for the reason given.
func refuse(path, file, word, reason string) error {
	d, err := openDir(path)
	if err != nil {
		return err
	}
	defer d.close()
	text, err := d.read(file)
	if err == nil && strings.Contains(text, word) {
		return fmt.Errorf("linux.cgroupsPath (%s): %s: %w", path, reason, unix.EBUSY)
	}
	if errors.Is(err, unix.ENOENT) { // Linux < 5.2 has no `frozen`
		return nil
	}
	return err
}

const frozenReason = "the cgroup, or one above it, is frozen"

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

// place moves pid to the cgroup at path, unless it is there: that waits for a
// lock that the whole system shares.
func place(path string, pid int) error {
	d, err := openDir(path)
	if err != nil {
		return err
	}
	defer d.close()
	if pids, err := d.procs(); err == nil && slices.Contains(pids, pid) {
		return nil
	}
	if err := d.write("cgroup.procs", strconv.Itoa(pid)); err != nil {
		return fmt.Errorf("cgroup %s: process %d cannot be moved there: %w", path, pid, err)
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
