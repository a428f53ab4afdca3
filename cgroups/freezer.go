package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
)

// freezeTimeout bounds the wait for the last process to stop: one in an
// uninterruptible call stops only when that returns.
const freezeTimeout = 10 * time.Second

// Freeze uses the freezer controller. The kernel tells nobody when the last
// process has stopped, it looks when freezer.state is read: so it is read
// again and again, each time a little later. A process that was born while
// its parent was being stopped is caught by writing FROZEN again.
func (c *v1) Freeze() error {
	d, err := c.freezer()
	if err != nil || d == absent {
		return c.orUnified(err, (*v2).Freeze)
	}
	defer d.close()
	deadline := time.Now().Add(freezeTimeout)
	for pause := 20 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		if err := d.write("freezer.state", "FROZEN"); err != nil {
			return fmt.Errorf("cgroup %s: cannot be frozen: %w", d.path, err)
		}
		if err := fail.Point("cgroup.freezing"); err != nil {
			return err
		}
		state, err := d.read("freezer.state")
		if err != nil || state == "FROZEN" {
			return err
		}
		if time.Now().After(deadline) {
			_ = d.write("freezer.state", "THAWED")
			return fmt.Errorf("cgroup %s: some process does not stop within %v: %w", d.path, freezeTimeout, unix.ETIMEDOUT)
		}
		time.Sleep(pause) //nolint:forbidigo // v1 tells nobody when all are frozen
	}
}

func (c *v1) Thaw() error {
	d, err := c.freezer()
	if err != nil || d == absent {
		return c.orUnified(err, (*v2).Thaw)
	}
	defer d.close()
	if err := d.write("freezer.state", "THAWED"); err != nil {
		return fmt.Errorf("cgroup %s: cannot be thawed: %w", d.path, err)
	}
	return nil
}

// Frozen counts a cgroup that is still freezing as frozen: it will be, and
// nothing should be started in it.
func (c *v1) Frozen() (bool, error) {
	d, err := c.freezer()
	if err != nil || d == absent {
		frozen := false
		err = c.orUnified(err, func(u *v2) (err error) { frozen, err = u.Frozen(); return err })
		return frozen, err
	}
	defer d.close()
	state, err := d.read("freezer.state")
	return err == nil && state != "THAWED", err
}

func (c *v1) freezer() (*dir, error) { return c.dir("freezer") }

// orUnified does on the unified hierarchy what v1 cannot for lack of a freezer.
func (c *v1) orUnified(err error, f func(*v2) error) error {
	switch {
	case err != nil:
		return err
	case c.unified != nil:
		return f(c.unified)
	default:
		return fmt.Errorf("the cgroup v1 hierarchy freezer is not mounted: %w", fs.ErrNotExist)
	}
}

func (c *v2) Freeze() error {
	err := c.freeze("1")
	if errors.Is(err, unix.ETIMEDOUT) {
		_ = c.freeze("0")
	}
	return err
}

func (c *v2) Thaw() error { return c.freeze("0") }

// freeze writes cgroup.freeze and waits for cgroup.events to agree.
func (c *v2) freeze(value string) error {
	d, err := openDir(c.path)
	if err != nil {
		return err
	}
	defer d.close()
	if err := d.write("cgroup.freeze", value); err != nil {
		return fmt.Errorf("cgroup %s: cannot be frozen or thawed: %w", d.path, err)
	}
	if value == "0" {
		return nil
	}
	return d.waitEvent("frozen 1", freezeTimeout)
}

func (c *v2) Frozen() (bool, error) {
	d, err := openDir(c.path)
	if err != nil {
		return false, err
	}
	defer d.close()
	text, err := d.read("cgroup.freeze")
	return text == "1", err
}

// waitEvent waits for a line of cgroup.events. The kernel wakes up who polls
// the file when it changes, cgroups(7).
func (d *dir) waitEvent(line string, timeout time.Duration) error {
	fd, err := d.open("cgroup.events", unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	deadline := time.Now().Add(timeout)
	for {
		text, err := readFrom(fd)
		if err != nil || strings.Contains("\n"+text, "\n"+line+"\n") {
			return err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("cgroup %s: did not become %q within %v: %w", d.path, line, timeout, unix.ETIMEDOUT)
		}
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}} //nolint:gosec // a descriptor
		if _, err := unix.Poll(fds, int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
