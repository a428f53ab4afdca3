package libcontainer

import (
	"errors"
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/fail"
	"hull/internal/sys"
)

// Kill sends sig to the container's process, or with all to every process of
// the container. A container without a pid namespace of its own is killed
// whole by SIGKILL: its other processes would not die with the first.
func (c *Container) Kill(sig unix.Signal, all bool) error {
	status, err := c.Status()
	if err != nil {
		return err
	}
	if status == specs.StateStopped || c.rec.Init.Pid == 0 {
		if all {
			return c.signalRest(sig)
		}
		return ErrNotRunning
	}
	if sig == unix.SIGKILL && (all || !c.ownPidNamespace()) {
		return c.killAll()
	}
	if all {
		return c.signalRest(sig)
	}
	if err := c.rec.Init.signal(sig); err != nil {
		return err
	}
	if sig == unix.SIGKILL && status == StatusPaused {
		return c.cgroup().Thaw() // the freezer of v1 holds even this signal back
	}
	return nil
}

// signalRest signals every process that is left in the cgroup. There may be none.
func (c *Container) signalRest(sig unix.Signal) error {
	if sig == unix.SIGKILL {
		return c.killAll()
	}
	pids, err := c.Pids()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		p, err := current(pid)
		if err != nil {
			continue // gone
		}
		if err := p.signal(sig); err != nil && !errors.Is(err, ErrNotRunning) {
			return err
		}
	}
	return nil
}

// killAll kills all of the container's cgroup, and its process wherever it is.
func (c *Container) killAll() error {
	if err := fail.Point("kill.all"); err != nil {
		return err
	}
	if len(c.rec.Cgroup.Paths) > 0 {
		if err := c.cgroup().Kill(); err != nil {
			return err
		}
	}
	if err := fail.Point("kill.init"); err != nil {
		return err
	}
	if c.rec.Init.alive(c.rec.BootID) {
		if err := c.rec.Init.signal(unix.SIGKILL); err != nil && !errors.Is(err, ErrNotRunning) {
			return err
		}
	}
	return nil
}

// signal sends sig to p if it is still the same process: the descriptor is
// opened first and the start time compared then, so that a pid used again is never hit.
func (p process) signal(sig unix.Signal) error {
	pidfd, err := sys.PidfdOpen(p.Pid)
	if err != nil {
		return ErrNotRunning
	}
	defer pidfd.Close()
	if now, err := current(p.Pid); err != nil || now != p {
		return ErrNotRunning
	}
	err = unix.PidfdSendSignal(int(pidfd.Fd()), sig, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("signal %d: %w", sig, os.NewSyscallError("pidfd_send_signal", err))
	}
	return nil
}

// ownPidNamespace says whether the container's processes die with its first.
func (c *Container) ownPidNamespace() bool {
	s, err := c.spec()
	if err != nil {
		return false
	}
	n := lowerNamespaces(s)
	return n.new(unix.CLONE_NEWPID)
}

// Pids are the processes of the container, as the host numbers them.
func (c *Container) Pids() ([]int, error) {
	if len(c.rec.Cgroup.Paths) > 0 {
		return c.cgroup().Pids()
	}
	if c.rec.Init.alive(c.rec.BootID) {
		return []int{c.rec.Init.Pid}, nil
	}
	return nil, nil
}
