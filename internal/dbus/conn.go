// Package dbus is a small client of D-Bus: it calls methods and waits for
// signals, which is all that starting a systemd scope takes. The protocol is
// the D-Bus Specification, https://dbus.freedesktop.org/doc/dbus-specification.html.
//
// It is written by hand because the well-kept library for it (godbus) brings
// encoding/xml and net along, whose package initialisation every hull command
// would pay for, with a tenth of its start-up time, and nearly none would use.
package dbus

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is a connection to a message bus, or to a service itself.
type Conn struct {
	fd       int
	bus      bool
	serial   uint32
	deadline time.Time
	in       []byte
	signals  []Message // that arrived while something else was waited for
}

// Timeout bounds every wait. systemd gives a job itself 90 seconds.
const Timeout = 100 * time.Second

// maxMessage bounds what is taken from the other side. The specification allows 128 MiB.
const maxMessage = 1 << 20

// Dial connects to the socket path. A service's own socket, as systemd has
// one, knows no bus names and no matches; for the rest it is the same.
func Dial(path string, bus bool) (*Conn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("D-Bus: %w", os.NewSyscallError("socket", err))
	}
	c := &Conn{fd: fd, bus: bus, deadline: time.Now().Add(Timeout)}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		c.Close()
		return nil, fmt.Errorf("D-Bus (%s): cannot be reached: %w", path, err)
	}
	if err := c.hello(); err != nil {
		c.Close()
		return nil, fmt.Errorf("D-Bus (%s): %w", path, err)
	}
	return c, nil
}

// Close ends the connection.
func (c *Conn) Close() { _ = unix.Close(c.fd) }

// hello authenticates as who the kernel says we are: no name is given, because
// in a user namespace it would be the wrong one. Everything is sent at once.
func (c *Conn) hello() error {
	if err := c.write([]byte("\x00AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")); err != nil {
		return err
	}
	if c.bus {
		hello := Call{Destination: busName, Path: "/org/freedesktop/DBus", Interface: busName, Member: "Hello"}
		if err := c.send(hello, true); err != nil {
			return err
		}
	}
	for {
		line, rest, ok := bytes.Cut(c.in, []byte("\r\n"))
		switch {
		case !ok && len(c.in) > 1024:
			return errors.New("not the D-Bus protocol")
		case !ok:
			if err := c.read(); err != nil {
				return err
			}
			continue
		case bytes.HasPrefix(line, []byte("REJECTED")), bytes.HasPrefix(line, []byte("ERROR")):
			return fmt.Errorf("authentication was refused (%s): %w", line, unix.EACCES)
		}
		c.in = slices.Clone(rest) // messages are aligned from their own start
		if bytes.HasPrefix(line, []byte("OK")) {
			return nil
		}
	}
}

// write writes all of b.
func (c *Conn) write(b []byte) error {
	for len(b) > 0 {
		if err := c.poll(unix.POLLOUT); err != nil {
			return err
		}
		n, err := unix.SendmsgN(c.fd, b, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		if err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return os.NewSyscallError("send", err)
		}
		b = b[max(n, 0):]
	}
	return nil
}

// read adds to c.in what has arrived.
func (c *Conn) read() error {
	if err := c.poll(unix.POLLIN); err != nil {
		return err
	}
	c.in = slices.Grow(c.in, 4096)
	n, err := unix.Read(c.fd, c.in[len(c.in):cap(c.in)])
	switch {
	case errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return os.NewSyscallError("read", err)
	case n == 0:
		return fmt.Errorf("the other side has hung up: %w", unix.ECONNRESET)
	}
	c.in = c.in[:len(c.in)+n]
	return nil
}

// poll waits until the socket can be read or written.
func (c *Conn) poll(events int16) error {
	for {
		left := time.Until(c.deadline)
		if left <= 0 {
			return fmt.Errorf("no answer within %v: %w", Timeout, unix.ETIMEDOUT)
		}
		fds := []unix.PollFd{{Fd: int32(c.fd), Events: events}} //nolint:gosec // a descriptor
		if n, err := unix.Poll(fds, int(left.Milliseconds())+1); n > 0 {
			return nil
		} else if err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("poll", err)
		}
	}
}

// Call calls a method and waits for its result.
func (c *Conn) Call(call Call) ([]any, error) {
	c.deadline = time.Now().Add(Timeout)
	if err := c.send(call, false); err != nil {
		return nil, fmt.Errorf("D-Bus (%s): %w", call.Member, err)
	}
	serial := c.serial
	for {
		m, err := c.receive()
		if err != nil {
			return nil, fmt.Errorf("D-Bus (%s): %w", call.Member, err)
		}
		switch {
		case m.kind == kindSignal:
			c.signals = append(c.signals, m)
		case m.replyTo != serial: // the answer to a call that wanted none
		case m.kind == kindError:
			return nil, &Error{Name: m.errorName, Message: m.text()}
		default:
			return m.Args()
		}
	}
}

// Send calls a method whose result nobody needs.
func (c *Conn) Send(call Call) error {
	c.deadline = time.Now().Add(Timeout)
	if err := c.send(call, true); err != nil {
		return fmt.Errorf("D-Bus (%s): %w", call.Member, err)
	}
	return nil
}

// Signals asks the bus for the signals of a member of an interface.
func (c *Conn) Signals(iface, member string) error {
	if !c.bus {
		return nil // the service sends all
	}
	rule := fmt.Sprintf("type='signal',interface='%s',member='%s'", iface, member)
	return c.Send(Call{
		Destination: busName, Path: "/org/freedesktop/DBus", Interface: busName, Member: "AddMatch",
		Signature: "s", Args: []any{rule},
	})
}

// Wait returns the first signal that f wants; the others are dropped.
func (c *Conn) Wait(f func(Message) bool) error {
	c.deadline = time.Now().Add(Timeout)
	for {
		var m Message
		if len(c.signals) > 0 {
			m, c.signals = c.signals[0], c.signals[1:]
		} else {
			var err error
			if m, err = c.receive(); err != nil {
				return fmt.Errorf("D-Bus: waiting for a signal: %w", err)
			}
		}
		if m.kind == kindSignal && f(m) {
			return nil
		}
	}
}
