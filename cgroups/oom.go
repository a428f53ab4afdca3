package cgroups

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// OOMWatch tells when a cgroup runs out of memory.
type OOMWatch struct {
	fds   []unix.PollFd
	alive *dir                   // a directory that is gone when the cgroup is
	count func() (uint64, error) // out of memory how often, since the last time
}

// Close ends the watch.
func (w *OOMWatch) Close() {
	for _, fd := range w.fds {
		_ = unix.Close(int(fd.Fd))
	}
	if w.alive != nil {
		w.alive.close()
	}
}

// Wait waits until the cgroup has run out of memory, and says how often it has
// since the last call: 0 when the time is over, or the cgroup has lost its last
// process. Once the cgroup is removed the error is fs.ErrNotExist.
func (w *OOMWatch) Wait(timeout time.Duration) (uint64, error) {
	deadline := time.Now().Add(timeout)
	for {
		left := max(0, time.Until(deadline))
		woken, err := unix.Poll(w.fds, int((left+time.Millisecond-1)/time.Millisecond))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, fmt.Errorf("cgroup %s: cannot be watched: %w", w.alive.path, err)
		}
		n, err := w.count()
		if !w.alive.exists("cgroup.procs") {
			return n, fmt.Errorf("cgroup %s: %w", w.alive.path, fs.ErrNotExist)
		}
		if n > 0 || err != nil || left == 0 || woken > 0 && w.empty() {
			return n, err
		}
	}
}

// empty says that the last process is gone, where cgroup.events tells.
func (w *OOMWatch) empty() bool {
	populated, err := w.alive.keyed("cgroup.events", "populated")
	return err == nil && populated == 0
}

// WatchOOM polls memory.events, of which the kernel tells the changes, and
// cgroup.events, which changes when the last process is gone.
func (c *v2) WatchOOM() (*OOMWatch, error) {
	d, err := openDir(c.path)
	if err != nil {
		return nil, err
	}
	w := &OOMWatch{alive: d}
	for _, name := range []string{"memory.events", "cgroup.events"} {
		fd, err := d.open(name, unix.O_RDONLY)
		if err != nil {
			w.Close()
			return nil, &fs.PathError{Op: "open", Path: d.path + "/" + name, Err: err}
		}
		w.fds = append(w.fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLPRI}) //nolint:gosec // a descriptor
	}
	seen, err := d.keyed("memory.events", "oom_kill")
	if err != nil {
		w.Close()
		return nil, err
	}
	w.count = func() (uint64, error) {
		for _, fd := range w.fds { // reading is what makes the next change known
			if _, err := readFrom(int(fd.Fd)); err != nil && !gone(err) {
				return 0, err
			}
		}
		now, err := d.keyed("memory.events", "oom_kill")
		if err != nil {
			return 0, vanished(err)
		}
		n := now - seen
		seen = now
		return n, nil
	}
	return w, nil
}

// WatchOOM registers an eventfd for memory.oom_control, as
// Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control", says. The
// kernel writes to it when memory has run out, and when the cgroup is removed.
func (c *v1) WatchOOM() (*OOMWatch, error) {
	d, err := c.dir("memory")
	if err != nil {
		return nil, err
	}
	if d == absent {
		return nil, fmt.Errorf("the cgroup v1 hierarchy memory is not mounted: %w", fs.ErrNotExist)
	}
	w := &OOMWatch{alive: d}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	w.fds = []unix.PollFd{{Fd: int32(event), Events: unix.POLLIN}} //nolint:gosec // a descriptor
	control, err := d.open("memory.oom_control", unix.O_RDONLY)
	if err == nil {
		defer unix.Close(control)
		err = d.write("cgroup.event_control", fmt.Sprintf("%d %d", event, control))
	}
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("cgroup %s: cannot be watched: %w", d.path, err)
	}
	w.count = func() (uint64, error) {
		var buf [8]byte
		if _, err := unix.Read(event, buf[:]); errors.Is(err, unix.EAGAIN) {
			return 0, nil
		} else if err != nil {
			return 0, fmt.Errorf("eventfd: %w", err)
		}
		return binary.NativeEndian.Uint64(buf[:]), nil
	}
	return w, nil
}
