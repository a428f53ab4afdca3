package libcontainer

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"hull/internal/sys"
	"hull/nsenter"
)

// publish tells callers that the container is there.
func (c *Container) publish(o *CreateOptions) error {
	if o.PidFile == "" {
		return nil
	}
	return writePidFile(o.PidFile, c.Init.Pid)
}

func writePidFile(path string, pid int) error {
	if err := sys.WriteAtomic(path, fmt.Appendf(nil, "%d", pid), 0o644); err != nil {
		return fmt.Errorf("pid file: %w", err)
	}
	return nil
}

// sendPidfd sends the descriptor to the socket that path names.
func sendPidfd(path string, pidfd *os.File) error {
	sock, err := sys.DialStream(path)
	if err != nil {
		return fmt.Errorf("pidfd socket: %w", err)
	}
	defer sock.Close()
	if err := sys.SendFile(sock, "pidfd", pidfd); err != nil {
		return fmt.Errorf("pidfd socket %s: %w", path, err)
	}
	return nil
}

// explain adds what may have killed a stage that said nothing.
func (c *Container) explain(err error) error {
	if err == nil || !errors.Is(err, nsenter.ErrDied) {
		return err
	}
	status, werr := c.Init.stage.Wait()
	if werr != nil {
		return err
	}
	if status.Signaled() && status.Signal() == unix.SIGKILL {
		n, oerr := c.cgroup().OOMKills()
		if oerr == nil && n > 0 {
			return fmt.Errorf("%w: killed for lack of memory: raise linux.resources.memory.limit", err)
		}
		if oerr != nil && c.memoryLimited() { // systemd has been quick to remove the cgroup
			return fmt.Errorf("%w: killed by SIGKILL, as for lack of memory: linux.resources.memory.limit may be too low", err)
		}
	}
	if status.Signaled() {
		return fmt.Errorf("%w: killed by %s", err, unix.SignalName(status.Signal()))
	}
	return fmt.Errorf("%w: exit status %d", err, status.ExitStatus())
}

func (c *Container) memoryLimited() bool {
	s, err := c.spec()
	if err != nil {
		return false
	}
	r := resources(s)
	return r != nil && r.Memory != nil && r.Memory.Limit != nil
}
