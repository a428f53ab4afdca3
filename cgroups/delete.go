package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
)

// deleteTimeout bounds the wait for processes that were killed to be gone.
const deleteTimeout = 10 * time.Second

// Delete waits for dying processes by the unified hierarchy, which all of them
// leave in the same moment as the others.
func (c *v1) Delete() error {
	deadline := time.Now().Add(deleteTimeout)
	if c.unified != nil {
		if err := remove(c.unified.path, deadline); err != nil {
			return err
		}
	}
	var errs []error
	for _, h := range c.hierarchies {
		errs = append(errs, remove(h.path, deadline))
	}
	return errors.Join(errs...)
}

func (c *v2) Delete() error { return remove(c.path, time.Now().Add(deleteTimeout)) }

// remove removes the cgroup at path with all below it, and then the parents
// that hull made, as far as they are empty. One that create has found is left, but for what is below.
func remove(path string, deadline time.Time) error {
	end := rmdir
	if marked(path, foundMark) {
		end = leave
	}
	err := end(path)
	if errors.Is(err, unix.EBUSY) {
		err = removeBusy(path, end, deadline)
	}
	if err == nil {
		err = fail.Point("cgroup.removed")
	}
	if err != nil && !gone(err) {
		return fmt.Errorf("cgroup %s: cannot be removed: %w", path, err)
	}
	for dir := filepath.Dir(path); marked(dir, madeMark) && rmdir(dir) == nil; {
		dir = filepath.Dir(dir)
	}
	return nil
}

// rmdir removes one cgroup, and no directory of another file system: the
// path may come from a file.
func rmdir(path string) error {
	parent, err := openDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return unix.ENOENT
	} else if err != nil {
		return err
	}
	defer parent.close()
	err = unix.Unlinkat(parent.fd, filepath.Base(path), unix.AT_REMOVEDIR)
	if errors.Is(err, unix.EROFS) { // which comes before the kernel looks for it: systemd may have removed it
		if err := unix.Faccessat(parent.fd, filepath.Base(path), unix.F_OK, 0); gone(err) {
			return err
		}
	}
	return err
}

// leave leaves a cgroup as empty as it was found.
func leave(path string) error {
	d, err := openDir(path)
	if err != nil {
		return err
	}
	defer d.close()
	err = d.walk(func(child *dir) error {
		if child != d {
			return unix.EBUSY
		}
		return nil
	})
	if pids, _ := d.procs(); err == nil && len(pids) > 0 {
		err = unix.EBUSY
	}
	for _, name := range foundMark {
		if err == nil {
			_ = unix.Removexattr(path, name)
		}
	}
	return err
}

// removeBusy removes a cgroup that has children or processes. Children are
// removed first. Processes are waited for: cgroup.events tells when they are
// gone, which v1 does not have; there the removal itself is tried again, each
// time a little later. The last step is end's.
func removeBusy(path string, end func(string) error, deadline time.Time) error {
	d, err := openDir(path)
	if err != nil {
		return err
	}
	defer d.close()
	err = d.waitEvent("populated 0", time.Until(deadline))
	if err != nil && !gone(err) {
		return stillBusy(d, err)
	}
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := d.walk(func(child *dir) error {
			if child == d {
				return nil
			}
			if err := rmdir(child.path); err != nil && !gone(err) {
				return err
			}
			return nil
		})
		if err == nil {
			err = end(path)
		}
		if !errors.Is(err, unix.EBUSY) {
			return err
		}
		if time.Now().After(deadline) {
			return stillBusy(d, err)
		}
		time.Sleep(pause) //nolint:forbidigo // v1 tells nobody when a cgroup is empty
	}
}

// stillBusy tells what keeps a cgroup.
func stillBusy(d *dir, err error) error {
	if pids, _ := pidsBelow(d.path); len(pids) > 0 {
		return fmt.Errorf("%d processes are in it, such as %d: %w", len(pids), pids[0], err)
	}
	return err
}
