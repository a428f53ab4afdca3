// Package netlink moves network devices from one network namespace to another:
// the few requests of rtnetlink(7) that it takes, and nothing else.
//
// A socket acts in the namespace that it was made in, whoever uses it, and keeps
// that namespace alive.
package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Socket talks to the kernel about the devices of one network namespace.
type Socket struct {
	fd  int
	ns  *os.File
	seq uint32
	buf []byte
}

// Open makes a socket in the network namespace that the file path stands for,
// such as /proc/PID/ns/net. For another than our own that takes CAP_SYS_ADMIN.
func Open(path string) (*Socket, error) {
	ns, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s := &Socket{fd: -1, ns: ns, buf: make([]byte, 1<<16)}
	if err := inside(ns, s.open); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Socket) open() (err error) {
	if s.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE); err != nil {
		return os.NewSyscallError("socket", err)
	}
	// The kernel's own words on what is wrong. Linux 4.12
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1))
}

// Close closes the socket.
func (s *Socket) Close() {
	if s.fd >= 0 {
		unix.Close(s.fd)
	}
	s.ns.Close()
}

// Same says whether both sockets are for one namespace.
func (s *Socket) Same(other *Socket) bool {
	a, err := s.ns.Stat()
	if err != nil {
		return false
	}
	b, err := other.ns.Stat()
	return err == nil && os.SameFile(a, b)
}

// inside calls fn with its thread in the network namespace ns. setns(2)
func inside(ns *os.File, fn func() error) error {
	runtime.LockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer own.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return os.NewSyscallError("setns", err)
	}
	err = fn()
	if back := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, os.NewSyscallError("setns", back)) // locked: nothing else ever runs on this thread
	}
	runtime.UnlockOSThread()
	return err
}

// maxInterrupted bounds how often a list is asked for that changed while it was told.
const maxInterrupted = 100

// list asks for all objects of a kind.
func (s *Socket) list(kind uint16, body []byte) ([]syscall.NetlinkMessage, error) {
	for range maxInterrupted {
		list, err := s.request(kind, unix.NLM_F_DUMP, body)
		if !errors.Is(err, unix.EINTR) {
			return list, err
		}
	}
	return nil, unix.EINTR
}

// request sends one request and returns what the kernel answers. netlink(7)
func (s *Socket) request(kind, flags uint16, body []byte) ([]syscall.NetlinkMessage, error) {
	s.seq++
	head := make([]byte, 0, unix.NLMSG_HDRLEN+len(body))
	head = binary.NativeEndian.AppendUint32(head, uint32(unix.NLMSG_HDRLEN+len(body))) //nolint:gosec // small
	head = binary.NativeEndian.AppendUint16(head, kind)
	head = binary.NativeEndian.AppendUint16(head, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	head = binary.NativeEndian.AppendUint32(head, s.seq)
	head = binary.NativeEndian.AppendUint32(head, 0) // the kernel
	if err := unix.Sendto(s.fd, append(head, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, os.NewSyscallError("sendto", err)
	}
	var answer []syscall.NetlinkMessage
	for {
		n, _, err := unix.Recvfrom(s.fd, s.buf, unix.MSG_TRUNC)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, os.NewSyscallError("recvfrom", err)
		case n > len(s.buf):
			return nil, fmt.Errorf("netlink: an answer of %d bytes", n)
		}
		list, err := syscall.ParseNetlinkMessage(slices.Clone(s.buf[:n]))
		if err != nil {
			return nil, os.NewSyscallError("recvfrom", err)
		}
		for _, m := range list {
			switch {
			case m.Header.Seq != s.seq: // of an earlier request that failed half-way
			case m.Header.Flags&unix.NLM_F_DUMP_INTR != 0:
				return nil, unix.EINTR // what is still to come has an old number
			case m.Header.Type == unix.NLMSG_ERROR, m.Header.Type == unix.NLMSG_DONE:
				return answer, outcome(&m)
			default:
				answer = append(answer, m)
			}
		}
	}
}

// outcome is the error that an NLMSG_ERROR or NLMSG_DONE carries, with the
// kernel's explanation (NLMSGERR_ATTR_MSG) if there is one.
func outcome(m *syscall.NetlinkMessage) error {
	if len(m.Data) < 4 {
		return nil
	}
	code := int32(binary.NativeEndian.Uint32(m.Data)) //nolint:gosec // signed on the wire
	if code >= 0 {
		return nil
	}
	errno := unix.Errno(-code)
	const capped, hasAttrs, message = 0x100, 0x200, 1 // NLM_F_CAPPED, NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG
	if m.Header.Flags&hasAttrs == 0 || len(m.Data) < 4+unix.NLMSG_HDRLEN {
		return errno
	}
	skip := 4 + unix.NLMSG_HDRLEN
	if m.Header.Flags&capped == 0 { // the request itself comes before
		skip = 4 + (int(binary.NativeEndian.Uint32(m.Data[4:]))+3)&^3
	}
	for _, a := range parseAttrs(m.Data[min(skip, len(m.Data)):]) {
		if a.kind == message && len(a.value) > 1 {
			return fmt.Errorf("%s: %w", a.value[:len(a.value)-1], errno)
		}
	}
	return errno
}
