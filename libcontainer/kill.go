package libcontainer

import (
	"cmp"
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
	if err := fail.Point("kill.process"); err != nil {
		return err
	}
	if err := c.rec.Init.signal(c.rec.BootID, sig); err != nil {
		return err
	}
	if sig == unix.SIGKILL && status == StatusPaused {
		if err := fail.Point("kill.thaw"); err != nil {
			return err
		}
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
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err == nil {
			err = p.signal(c.rec.BootID, sig)
		}
		if err != nil && !errors.Is(err, ErrNotRunning) {
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
	if err := c.rec.Init.signal(c.rec.BootID, unix.SIGKILL); err != nil && !errors.Is(err, ErrNotRunning) {
		return err
	}
	return nil
}

// open opens p by its pid, if it is still the same process: the descriptor
// comes first and is compared then, so that a pid used again is never hit.
func (p process) open(boot string) (*os.File, error) {
	if p.Pid == 0 {
		return nil, ErrNotRunning
	}
	pidfd, err := sys.PidfdOpen(p.Pid)
	if alive, aerr := p.alive(boot); !alive {
		if err == nil {
			pidfd.Close()
		}
		return nil, cmp.Or(aerr, ErrNotRunning)
	}
	return pidfd, err
}

// signal sends sig to p, if it is still the same process.
func (p process) signal(boot string, sig unix.Signal) error {
	pidfd, err := p.open(boot)
	if err != nil {
		return err
	}
	defer pidfd.Close()
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
	if alive, err := c.alive(); !alive {
		return nil, err
	}
	return []int{c.rec.Init.Pid}, nil
}
