package libcontainer

import (
	"os"

	"golang.org/x/sys/unix"

	"hull/nsenter"
)

// Process is a process of a container, in the command that started it.
type Process struct {
	Pid     int
	PidFD   *os.File
	Console *os.File // the pseudo-terminal's master, for a terminal without console socket

	stage *nsenter.Stage
}

// kill takes back that the process was started, if it was.
func (p *Process) kill() {
	if p.stage != nil {
		p.stage.Kill()
	}
}

// publish writes the pid to a file, if one was asked for.
func (p *Process) publish(pidFile string) error {
	if pidFile == "" {
		return nil
	}
	return writePidFile(pidFile, p.Pid)
}

// Wait waits for the process to end and reaps it.
func (p *Process) Wait() (unix.WaitStatus, error) { return p.stage.Wait() }

// Signal sends sig; a process that has ended is no error. It must not have been
// waited for: until then the pid of our child is nobody else's.
func (p *Process) Signal(sig unix.Signal) error {
	err := unix.Kill(p.Pid, sig)
	if err == unix.ESRCH {
		return nil
	}
	return os.NewSyscallError("kill", err)
}
