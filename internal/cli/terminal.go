package cli

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"hull/libcontainer"
)

// terminal connects our standard streams to the pseudo-terminal of a process.
type terminal struct {
	master *os.File // nil: the process has no terminal
	slave  *os.File // held open, so that the process may close its own and open it again
	dead   *os.File // a pidfd, readable when the process has ended
	saved  *term.State
	output sync.WaitGroup
}

// newTerminal connects p's terminal, if it has one. Our own terminal becomes
// a mere line to it; where ours is none, bytes are copied all the same.
func newTerminal(p *libcontainer.Process) (*terminal, error) {
	t := &terminal{master: p.Console, dead: p.PidFD}
	if t.master == nil {
		return t, nil
	}
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
	slave, _, errno := unix.Syscall(unix.SYS_IOCTL, t.master.Fd(), unix.TIOCGPTPEER, flags) // ioctl_tty(2)
	if errno != 0 {
		return nil, fmt.Errorf("open the container's terminal: %w", errno)
	}
	t.slave = os.NewFile(slave, "slave")
	if term.IsTerminal(int(os.Stdin.Fd())) {
		saved, err := term.MakeRaw(int(os.Stdin.Fd()))
		if err != nil {
			return nil, fmt.Errorf("make the terminal raw: %w", err)
		}
		t.saved = saved
	}
	t.output.Go(t.copyOutput)
	go t.copyInput()
	return t, nil
}

// close waits until everything that the process has written is out, and gives
// our terminal its ways back.
func (t *terminal) close() {
	if t.master == nil {
		return
	}
	t.output.Wait()
	if t.saved != nil {
		_ = term.Restore(int(os.Stdin.Fd()), t.saved)
	}
	t.slave.Close()
	t.master.Close()
}

// resize gives the process's terminal the size of ours.
func (t *terminal) resize() {
	if t.master == nil {
		return
	}
	if size := winsize(); size != nil {
		_ = unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, size)
	}
}

// terminalSize is the size of our terminal as the configuration has it, nil if there is none.
func terminalSize() *specs.Box {
	size := winsize()
	if size == nil {
		return nil
	}
	return &specs.Box{Height: uint(size.Row), Width: uint(size.Col)}
}

// winsize is the size of the first standard stream that is a terminal and has got one.
func winsize() *unix.Winsize {
	for _, f := range stdio() {
		size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
		if err == nil && size.Row > 0 && size.Col > 0 {
			return size
		}
	}
	return nil
}

// copyOutput ends when the process has ended and nothing that it wrote is left.
// Its terminal may be held by others for longer.
func (t *terminal) copyOutput() {
	buf := make([]byte, 32<<10)
	for ended := false; ; {
		ready, dead := t.await(t.master, ended)
		if !ready && ended {
			return
		}
		ended = ended || dead
		if !ready {
			continue
		}
		n, err := unix.Read(int(t.master.Fd()), buf)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if n <= 0 {
			return
		}
		_, _ = os.Stdout.Write(buf[:n]) // a reader that has gone must not block the process
	}
}

// copyInput ends with the process, so that what is typed later is left for our caller.
func (t *terminal) copyInput() {
	buf := make([]byte, 4<<10)
	for {
		ready, dead := t.await(os.Stdin, false)
		if dead {
			return
		}
		if !ready {
			continue
		}
		n, err := unix.Read(unix.Stdin, buf)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if n <= 0 {
			t.endInput()
			return
		}
		if _, err := t.master.Write(buf[:n]); err != nil {
			return
		}
	}
}

// endInput says that nothing more will be typed. A shell throws away what came before it has set
// the terminal to its liking, or takes it for a key, so it is told again: whenever the settings
// have changed, which nobody but the terminal itself can be asked about.
func (t *terminal) endInput() {
	const interval = 100 // ms
	var last *unix.Termios
	for {
		now, err := unix.IoctlGetTermios(int(t.slave.Fd()), unix.TCGETS)
		if err != nil {
			return
		}
		if last == nil || *now != *last {
			_, _ = t.master.Write([]byte{now.Cc[unix.VEOF]})
		}
		last = now
		fds := []unix.PollFd{{Fd: int32(t.dead.Fd()), Events: unix.POLLIN}} //nolint:gosec // a descriptor
		if n, _ := unix.Poll(fds, interval); n > 0 {
			return
		}
	}
}

// await waits until f can be read or the process has ended; it does not wait
// if that is known already.
func (t *terminal) await(f *os.File, ended bool) (ready, dead bool) {
	fds := []unix.PollFd{
		{Fd: int32(f.Fd()), Events: unix.POLLIN},      //nolint:gosec // a descriptor
		{Fd: int32(t.dead.Fd()), Events: unix.POLLIN}, //nolint:gosec // a descriptor
	}
	timeout := -1
	if ended {
		timeout = 0
	}
	if _, err := unix.Poll(fds, timeout); err != nil {
		return false, false // EINTR
	}
	return fds[0].Revents != 0, fds[1].Revents != 0
}
