package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"hull/internal/trace"
	"hull/libcontainer"
)

// foreground stands for a process of a container: signals sent to us are meant
// for it, and our terminal is its terminal.
type foreground struct {
	children chan os.Signal // SIGCHLD
	others   chan os.Signal
}

// newForeground begins to collect signals, for a process that is about to be
// made. As a subreaper we inherit its orphans: prctl(2), PR_SET_CHILD_SUBREAPER.
func newForeground(subreaper bool) (*foreground, error) {
	if subreaper {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return nil, fmt.Errorf("become a subreaper: %w", err)
		}
	}
	const burst = 128 // signals that may come between two turns of stay
	f := &foreground{make(chan os.Signal, 1), make(chan os.Signal, burst)}
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGINT} {
		if signal.Ignored(s) { // by nohup(1), or a shell for its background jobs
			defer signal.Ignore(s)
		}
	}
	signal.Notify(f.others)
	// SIGTTIN and SIGTTOU stop a background job that touches the terminal:
	// us, not the container.
	signal.Reset(unix.SIGCHLD, unix.SIGTTIN, unix.SIGTTOU)
	signal.Notify(f.children, unix.SIGCHLD)
	return f, nil
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
		select {
		case <-f.children:
		case s := <-f.others:
			if s == unix.SIGWINCH {
				t.resize()
			} else {
				forward(s, p)
			}
		}
	}
}

// forward sends the process what was sent to us.
func forward(s os.Signal, p *libcontainer.Process) {
	number, ok := s.(unix.Signal)
	switch {
	case !ok, number == unix.SIGURG: // the Go runtime's own
		return
	case number == unix.SIGPIPE: // a reader of ours has gone
		return
	}
	if err := p.Signal(number); err != nil {
		slog.Warn("signal " + unix.SignalName(number) + ": " + err.Error())
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
