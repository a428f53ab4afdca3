package cli

import (
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"hull/internal/signals"
	"hull/internal/trace"
	"hull/libcontainer"
)

// foreground stands for a process of a container: signals sent to us are meant
// for it, and our terminal is its terminal.
type foreground struct{ signals *signals.Collector }

// newForeground begins to collect signals, for a process that is about to be
// made. As a subreaper we inherit its orphans: prctl(2), PR_SET_CHILD_SUBREAPER.
func newForeground(subreaper bool) (*foreground, error) {
	if subreaper {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return nil, fmt.Errorf("become a subreaper: %w", err)
		}
	}
	collector, err := signals.Collect()
	return &foreground{collector}, err
}

// stay returns when the process has ended, and how.
func (f *foreground) stay(p *libcontainer.Process) error {
	defer trace.Phase("wait for the program's end")()
	t, err := newTerminal(p)
	if err != nil {
		return err
	}
	defer t.close()
	for {
		status, over, err := reap(p.Pid)
		if err != nil {
			return err
		}
		if over {
			return ended(status)
		}
		list, err := f.signals.Wait()
		if err != nil {
			return err
		}
		for _, s := range list {
			switch s {
			case unix.SIGCHLD:
			case unix.SIGWINCH:
				t.resize()
			default:
				forward(s, p)
			}
		}
	}
}

// forward sends the process what was sent to us.
func forward(s unix.Signal, p *libcontainer.Process) {
	if err := p.Signal(s); err != nil {
		slog.Warn("signal " + unix.SignalName(s) + ": " + err.Error())
	}
}

// reap collects dead children until there is none or pid is among them:
// others were the container's orphans.
func reap(pid int) (status unix.WaitStatus, over bool, err error) {
	for {
		child, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, false, fmt.Errorf("wait for process %d: %w", pid, err)
		case child == pid:
			return status, true, nil
		case child == 0:
			return 0, false, nil
		}
	}
}
