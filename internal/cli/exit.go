package cli

import "golang.org/x/sys/unix"

// Exit is the end of a command with an exit code other than 0 and 1.
type Exit struct {
	Code int
	Err  error // what to say, nil when the code says it all
}

func (e *Exit) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

func (e *Exit) Unwrap() error { return e.Err }

// execFailed is the exit code of an exec whose process did not come to run.
const execFailed = 255

// ended is the end of a command that stood for a process which ended with
// status: its exit code, or 128 and the signal that killed it.
func ended(status unix.WaitStatus) error {
	switch {
	case status.Signaled():
		return &Exit{Code: 128 + int(status.Signal())}
	case status.ExitStatus() != 0:
		return &Exit{Code: status.ExitStatus()}
	default:
		return nil
	}
}
