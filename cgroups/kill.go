package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
)

// pidsBelow lists the processes in the cgroup at path and below, in order.
func pidsBelow(path string) ([]int, error) {
	d, err := openDir(path)
	if err != nil {
		return nil, err
	}
	defer d.close()
	var pids []int
	err = d.walk(func(d *dir) error {
		more, err := d.procs()
		pids = append(pids, more...)
		return err
	})
	slices.Sort(pids)
	return slices.Compact(pids), err
}

// procs are the processes in d itself.
func (d *dir) procs() ([]int, error) {
	text, err := d.read("cgroup.procs")
	if gone(err) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil // removed; or threaded, and the processes are listed above
	} else if err != nil {
		return nil, &fs.PathError{Op: "read", Path: d.path + "/cgroup.procs", Err: err}
	}
	var pids []int
	for line := range strings.SplitSeq(text, "\n") {
		if pid, err := strconv.Atoi(line); err == nil && pid > 0 { // 0 is a process of another pid namespace
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// keyed is one value of a file with a name and a number in each line.
func (d *dir) keyed(file, name string) (uint64, error) {
	text, err := d.read(file)
	if err != nil {
		return 0, &fs.PathError{Op: "read", Path: d.path + "/" + file, Err: err}
	}
	for line := range strings.Lines(text) {
		if key, value, _ := strings.Cut(line, " "); key == name {
			return parseUint(value)
		}
	}
	return 0, fmt.Errorf("%s/%s: has no %s", d.path, file, name)
}

// Kill uses cgroup.kill where all processes are in the unified hierarchy too.
// A frozen process dies only when thawed, so that nothing of it runs in between.
func (c *v1) Kill() error {
	pids, err := c.Pids()
	if err == nil && c.unified != nil {
		inside, uerr := c.unified.Pids()
		if uerr == nil && slices.Equal(pids, inside) && c.unified.killFile() == nil {
			return vanished(c.Thaw())
		}
	}
	if err == nil {
		err = killFrozen(c)
	}
	return vanished(err)
}

func (c *v2) Kill() error {
	err := c.killFile()
	switch {
	case err == nil:
		err = c.Thaw()
	case !gone(err): // not there, or denied
		err = killFrozen(c)
	}
	return vanished(err)
}

// vanished is no error when the cgroup is gone: what was to be killed is too.
func vanished(err error) error {
	if gone(err) {
		return nil
	}
	return err
}

// killFile kills all processes at once by cgroup.kill. Linux < 5.14 has no
// such file, and this returns EOPNOTSUPP.
func (c *v2) killFile() error {
	d, err := openDir(c.path)
	if err != nil {
		return err
	}
	defer d.close()
	if err = d.write("cgroup.kill", "1"); errors.Is(err, unix.ENOENT) && d.exists("cgroup.procs") {
		return unix.EOPNOTSUPP
	}
	return err
}

// killFrozen kills one by one, as long as there are any. Frozen processes
// neither fork nor vanish, so that one round is enough and no number can have
// passed to another process; rounds go on for what could not be frozen.
func killFrozen(c Cgroup) error {
	var dead []int
	var frozen error
	for range 100 {
		frozen = c.Freeze()
		pids, err := c.Pids()
		if err == nil {
			err = fail.Point("cgroup.kill.frozen")
		}
		for _, pid := range pids {
			if !slices.Contains(dead, pid) {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
		if thaw := c.Thaw(); err == nil && frozen == nil {
			err = thaw
		}
		if err != nil || frozen == nil || len(pids) == 0 {
			return err
		}
		dead = pids
		time.Sleep(time.Millisecond) //nolint:forbidigo // these could not be frozen, which was waited for
	}
	return fmt.Errorf("the processes fork faster than they can be killed: %w", frozen)
}
