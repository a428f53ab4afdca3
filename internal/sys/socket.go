package sys

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Unix socket's path may have 107 bytes, see unix(7); a longer one is
// reached through its directory's descriptor.
const maxSun = 107

// through calls fn with an address for path that fits into sun_path.
func through(path string, fn func(unix.Sockaddr) error) error {
	if len(path) <= maxSun {
		return fn(&unix.SockaddrUnix{Name: path})
	}
	dir, err := os.OpenFile(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	return fn(&unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))})
}

func unixSocket(kind int) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	return os.NewFile(uintptr(fd), "unix socket"), nil
}

// ListenUnix makes a SOCK_SEQPACKET socket at path and listens on it.
func ListenUnix(path string) (*os.File, error) {
	f, err := unixSocket(unix.SOCK_SEQPACKET)
	if err != nil {
		return nil, err
	}
	fd := int(f.Fd())
	err = through(path, func(a unix.Sockaddr) error { return unix.Bind(fd, a) })
	if err == nil {
		err = unix.Listen(fd, 16)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	return f, nil
}

// DialUnix connects to the SOCK_SEQPACKET socket at path.
func DialUnix(path string) (*os.File, error) { return dial(path, unix.SOCK_SEQPACKET) }

// DialStream connects to the SOCK_STREAM socket at path.
func DialStream(path string) (*os.File, error) { return dial(path, unix.SOCK_STREAM) }

func dial(path string, kind int) (*os.File, error) {
	f, err := unixSocket(kind)
	if err != nil {
		return nil, err
	}
	fd := int(f.Fd())
	if err := through(path, func(a unix.Sockaddr) error { return unix.Connect(fd, a) }); err != nil {
		f.Close()
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	return f, nil
}

// SendFile sends text and the descriptor of f over the connected socket. unix(7) SCM_RIGHTS.
func SendFile(sock *os.File, text string, files ...*os.File) error {
	fds := make([]int, len(files))
	for i, f := range files {
		fds[i] = int(f.Fd())
	}
	err := unix.Sendmsg(int(sock.Fd()), []byte(text), unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL)
	return os.NewSyscallError("sendmsg", err)
}

// BindDatagram makes a SOCK_DGRAM socket at path.
func BindDatagram(path string) (*os.File, error) {
	f, err := unixSocket(unix.SOCK_DGRAM)
	if err != nil {
		return nil, err
	}
	if err := through(path, func(a unix.Sockaddr) error { return unix.Bind(int(f.Fd()), a) }); err != nil {
		f.Close()
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	return f, nil
}

// SendDatagram sends one message to the SOCK_DGRAM socket at path, or with an
// abstract address if that begins with @. unix(7)
func SendDatagram(path, text string, files ...*os.File) error {
	f, err := dial(path, unix.SOCK_DGRAM)
	if err != nil {
		return err
	}
	defer f.Close()
	return SendFile(f, text, files...)
}
