// Package criu speaks with criu(8), which saves processes to images and makes
// them again: its "swrk" mode serves one request over a SOCK_SEQPACKET socket,
// a packet a message, and asks back at each step (https://criu.org/RPC).
package criu

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Kind is what is asked of criu: the request's and the answer's type.
type Kind uint64

// The kinds that hull asks for.
const (
	Dump    Kind = 1
	Restore Kind = 2
	PreDump Kind = 4
	notify  Kind = 6
	version Kind = 10
)

// String is the name that criu's own messages use.
func (k Kind) String() string {
	switch k {
	case Dump:
		return "DUMP"
	case Restore:
		return "RESTORE"
	case PreDump:
		return "PRE_DUMP"
	case version:
		return "VERSION"
	}
	return strconv.FormatUint(uint64(k), 10)
}

// Event is a step that criu has come to, and which waits for an answer.
type Event struct {
	Name string // "setup-namespaces", "post-restore", …
	Pid  int    // of the first process restored, where there is one
	File *os.File
}

// Session is a conversation with one criu.
type Session struct{ sock *os.File }

// New is the conversation over sock, whose other end is criu's.
func New(sock *os.File) *Session { return &Session{sock} }

// ErrEnded is the error of a criu that went away without an answer.
var ErrEnded = errors.New("criu ended without an answer")

// Do asks for kind and returns when it is done. step is called at each event;
// its error makes criu give up.
func (s *Session) Do(kind Kind, o *Options, step func(Event) error) error {
	var m message
	m.number(1, uint64(kind))
	if o != nil {
		m.bytes(2, o.encode())
	}
	if err := s.send(m); err != nil {
		return err
	}
	for {
		a, err := s.receive()
		if err != nil {
			return err
		}
		switch {
		case a.kind == notify:
			if err := s.answer(&a.event, step); err != nil {
				return err
			}
		case !a.success:
			return a.failure(kind)
		case a.kind != kind:
			return fmt.Errorf("criu answered %s to %s", a.kind, kind)
		default:
			return nil
		}
	}
}

// answer lets step act on the event, and criu go on.
func (s *Session) answer(e *Event, step func(Event) error) error {
	err := step(*e)
	if e.File != nil {
		e.File.Close()
	}
	var m message
	m.number(1, uint64(notify))
	m.flag(3, err == nil)
	if serr := s.send(m); err == nil {
		err = serr
	}
	return err
}

func (s *Session) send(m message) error {
	if _, err := s.sock.Write(m); err != nil {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return nil
}

// answer is the message criu_resp.
type answer struct {
	kind    Kind
	success bool
	errno   int
	event   Event
}

const maxAnswer = 64 << 10

func (s *Session) receive() (*answer, error) {
	b := make([]byte, maxAnswer)
	oob := make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, flags, _, err := unix.Recvmsg(int(s.sock.Fd()), b, oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrEnded, err)
		case n == 0:
			return nil, ErrEnded
		case flags&unix.MSG_TRUNC != 0:
			return nil, errWire
		}
		a, err := parse(b[:n])
		if err != nil {
			return nil, err
		}
		a.event.File = received(oob[:oobn])
		return a, nil
	}
}

func parse(b []byte) (*answer, error) {
	a := &answer{}
	err := decode(b, func(field int, n uint64, sub []byte) error {
		switch field {
		case 1:
			a.kind = Kind(n)
		case 2:
			a.success = n != 0
		case 5:
			return decode(sub, a.event.field)
		case 7:
			a.errno = int(n) //nolint:gosec // an errno
		}
		return nil
	})
	return a, err
}

func (e *Event) field(field int, n uint64, sub []byte) error {
	switch field {
	case 1:
		e.Name = string(sub)
	case 2:
		e.Pid = int(int32(n)) //nolint:gosec // int32 on the wire
	}
	return nil
}

// Failure is what criu said of a request that it could not fulfil.
type Failure struct {
	Kind  Kind
	Errno unix.Errno // 0 where it is not known
}

// Error begins as runc's does: callers look for it.
func (f *Failure) Error() string {
	s := fmt.Sprintf("criu failed: type %s errno %d", f.Kind, int(f.Errno))
	if f.Errno != 0 {
		s += ": " + f.Errno.Error()
	}
	return s
}

// Unwrap makes errors.Is work with the errno.
func (f *Failure) Unwrap() error {
	if f.Errno == 0 {
		return nil
	}
	return f.Errno
}

func (a *answer) failure(kind Kind) error {
	return &Failure{kind, unix.Errno(a.errno)}
}

// received is the descriptor in a control message, or nil.
func received(oob []byte) *os.File {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range list {
		fds, err := unix.ParseUnixRights(&list[i])
		if err == nil && len(fds) == 1 {
			return os.NewFile(uintptr(fds[0]), "from criu")
		}
	}
	return nil
}
