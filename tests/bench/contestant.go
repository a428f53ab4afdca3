package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// contestant is one runtime, or the floor.
type contestant struct {
	name, path string
	root       string // --root
	version    string
	setup      func() error // makes a thread fit to start the runtime from
	workers    []*worker
	house      *house
}

// workers that a contestant has: so many of its commands run at a time.
const workers = 4

func newContestant(h *house, name, path string) (*contestant, error) {
	c := &contestant{name: name, path: path, root: filepath.Join(h.dir, name), house: h}
	if err := os.Mkdir(c.root, 0o700); err != nil {
		return nil, err
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", path, err)
	}
	c.version, _, _ = strings.Cut(string(out), "\n")
	if name == "crun" && hybrid() {
		c.setup = hideUnified
	}
	for range workers {
		w := &worker{ask: make(chan func())}
		ready := make(chan error)
		go w.work(c.setup, ready)
		if err := <-ready; err != nil {
			return nil, err
		}
		c.workers = append(c.workers, w)
	}
	return c, nil
}

// hybrid says that the resource controllers are on cgroup v1, beside a v2 tree.
func hybrid() bool {
	_, err := os.Stat("/sys/fs/cgroup/unified/cgroup.procs")
	return err == nil
}

// hideUnified gives this thread a view without the v2 tree of a hybrid host,
// which crun refuses. Whatever the thread starts has it too, at no cost.
func hideUnified() error {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	return os.NewSyscallError("umount", unix.Unmount("/sys/fs/cgroup/unified", unix.MNT_DETACH))
}

// worker is a thread that starts commands, one at a time.
type worker struct{ ask chan func() }

func (w *worker) work(setup func() error, ready chan<- error) {
	runtime.LockOSThread() // for ever: setup may have changed what it sees
	if setup != nil {
		if err := setup(); err != nil {
			ready <- err
			return
		}
	}
	ready <- nil
	for fn := range w.ask {
		fn()
	}
}

// cost is what a command took: time, and processor time, of the children that
// it has waited for too.
type cost struct{ time, cpu time.Duration }

// run runs a command of the runtime to its end and says what it took.
func (c *contestant) run(args ...string) (cost, error) {
	return c.runOn(0, args...)
}

// runOn runs it on one of the workers.
func (c *contestant) runOn(worker int, args ...string) (took cost, err error) {
	return c.start(worker, c.line(args...))
}

func (c *contestant) line(args ...string) []string {
	return append([]string{c.path, "--root", c.root}, args...)
}

// start runs a command line to its end on one of the workers.
func (c *contestant) start(worker int, line []string) (took cost, err error) {
	done := make(chan struct{})
	c.workers[worker].ask <- func() {
		took, err = timed(line)
		close(done)
	}
	<-done
	return took, err
}

// output runs a command and returns what it prints.
func (c *contestant) output(args ...string) ([]byte, error) {
	done := make(chan struct{})
	var out []byte
	var err error
	c.workers[0].ask <- func() {
		line := c.line(args...)
		out, err = exec.Command(line[0], line[1:]...).Output()
		close(done)
	}
	<-done
	return out, err
}

// timed starts a program, waits for its end, and says what both took.
func timed(line []string) (took cost, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return took, err
	}
	defer null.Close()
	errors, err := unix.MemfdCreate("stderr", unix.MFD_CLOEXEC)
	if err != nil {
		return took, err
	}
	said := os.NewFile(uintptr(errors), "stderr")
	defer said.Close()
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{null.Fd(), null.Fd(), said.Fd()}}

	begin := time.Now()
	pid, err := syscall.ForkExec(line[0], line, attr)
	if err != nil {
		return took, err
	}
	status, usage, err := wait(pid)
	took.time = time.Since(begin)
	took.cpu = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	if err != nil {
		return took, err
	}
	if status.ExitStatus() != 0 {
		text := make([]byte, 1000)
		n, _ := said.ReadAt(text, 0)
		return took, fmt.Errorf("%s: exit status %d: %s", strings.Join(line, " "), status.ExitStatus(), bytes.TrimSpace(text[:n]))
	}
	return took, nil
}

func wait(pid int) (status unix.WaitStatus, usage unix.Rusage, err error) {
	for {
		_, err = unix.Wait4(pid, &status, 0, &usage)
		if !errors.Is(err, unix.EINTR) {
			return status, usage, os.NewSyscallError("wait4", err)
		}
	}
}
