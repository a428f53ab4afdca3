package tests

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is the master end of a pseudoterminal.
type terminal struct {
	t      testing.TB
	master *os.File
	reader *bufio.Reader
}

// newTerminal takes over the master end that a file is.
func newTerminal(t testing.TB, from *os.File) *terminal {
	t.Helper()
	defer from.Close()
	fd, err := unix.FcntlInt(from.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that read deadlines work
		t.Fatal(err)
	}
	master := os.NewFile(uintptr(fd), "master")
	t.Cleanup(func() { master.Close() })
	if err := master.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &terminal{t, master, bufio.NewReader(master)}
}

// line is the next line that the terminal shows, without its end.
func (tm *terminal) line() string {
	tm.t.Helper()
	s, err := tm.reader.ReadString('\n')
	if err != nil {
		tm.t.Fatalf("the terminal ended with %v after %q", err, s)
	}
	return strings.TrimRight(s, "\r\n")
}

// want reads lines that have to be these.
func (tm *terminal) want(lines ...string) {
	tm.t.Helper()
	for _, want := range lines {
		if got := tm.line(); got != want {
			tm.t.Fatalf("the terminal shows %q, want %q", got, want)
		}
	}
}

// drain reads until the other end has been closed by everybody.
func (tm *terminal) drain() string {
	tm.t.Helper()
	var all strings.Builder
	for {
		s, err := tm.reader.ReadString('\n')
		all.WriteString(s)
		if err != nil {
			return all.String()
		}
	}
}

// enter types text.
func (tm *terminal) enter(text string) {
	tm.t.Helper()
	if _, err := tm.master.WriteString(text); err != nil {
		tm.t.Fatal(err)
	}
}

// resize gives the terminal another size.
func (tm *terminal) resize(rows, cols uint16) {
	tm.t.Helper()
	conn, err := tm.master.SyscallConn()
	if err != nil {
		tm.t.Fatal(err)
	}
	var ioctlErr error
	err = conn.Control(func(fd uintptr) {
		ioctlErr = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols})
	})
	if err != nil || ioctlErr != nil {
		tm.t.Fatal(err, ioctlErr)
	}
}

// openPty makes a pseudoterminal and opens its other end too.
func openPty(t testing.TB) (*terminal, *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return newTerminal(t, master), slave
}

// onTerminal starts a command of hull's as a person does: as the leader of a session on a terminal.
func (b *box) onTerminal(args ...string) (*terminal, *exec.Cmd) {
	b.t.Helper()
	tm, slave := openPty(b.t)
	tm.resize(24, 80)
	cmd := b.command(context.Background(), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	b.check(cmd.Start())
	slave.Close()
	b.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return tm, cmd
}

// listen makes a unix socket below the box's directory.
func (b *box) listen(name string) *net.UnixListener {
	b.t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: b.path(name), Net: "unix"})
	b.check(err)
	b.t.Cleanup(func() { l.Close() })
	b.listening = append(b.listening, b.path(name))
	b.check(l.SetDeadline(time.Now().Add(patience)))
	return l
}

// received is one message with descriptors.
type received struct {
	text  string
	files []*os.File
}

// receive accepts one connection and reads one message from it.
func (b *box) receive(l *net.UnixListener) received {
	b.t.Helper()
	conn, err := l.AcceptUnix()
	b.check(err)
	defer conn.Close()
	b.check(conn.SetDeadline(time.Now().Add(patience)))
	text, oob := make([]byte, 1<<16), make([]byte, 256)
	n, oobn, _, _, err := conn.ReadMsgUnix(text, oob)
	b.check(err)
	msgs, err := unix.ParseSocketControlMessage(oob[:oobn])
	b.check(err)
	r := received{text: string(text[:n])}
	for _, m := range msgs {
		fds, err := unix.ParseUnixRights(&m)
		b.check(err)
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			r.files = append(r.files, os.NewFile(uintptr(fd), "received"))
		}
	}
	b.t.Cleanup(func() {
		for _, f := range r.files {
			f.Close()
		}
	})
	return r
}

// receiveOne is receive for a message with one descriptor.
func (b *box) receiveOne(l *net.UnixListener) (*os.File, string) {
	b.t.Helper()
	r := b.receive(l)
	if len(r.files) != 1 {
		b.t.Fatalf("got %d descriptors with %q, want one", len(r.files), r.text)
	}
	return r.files[0], r.text
}
