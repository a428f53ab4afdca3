package nsenter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/internal/trace"
)

// The kinds of messages; nsenter/stage/stage.h has the twins.
const (
	msgAsk = 1 + iota
	msgFailed
	msgForked
	msgListener
)

const (
	messageSize = 12
	maxFiles    = 64   // descriptors in one packet, MAX_FILES in talk.c
	maxText     = 4096 // MAX_PATH in stage.h
)

// message is what the stage says: see struct message in stage.h.
type message struct {
	kind, op uint32
	value    int32
	files    []*os.File
}

// ErrDied is returned by Serve when the stage ended before it had got to the
// user's program, and did not say why.
var ErrDied = errors.New("the container's process died while it was being set up")

// Serve answers the stage until it has asked and been answered at last, or,
// with last nil, until the user's program runs. An operation that failed is
// returned as a *plan.Failure, the error of a handler as it is with its place.
func (s *Stage) Serve(last *plan.Op) error {
	for {
		m, err := receive(s.sock)
		if errors.Is(err, io.EOF) {
			if last != nil || s.gone() {
				return ErrDied
			}
			if s.times != nil {
				s.tellTimes(time.Now())
			}
			return nil
		}
		if err != nil {
			return err
		}
		op, err := s.handle(m)
		closeAll(m.files)
		if err != nil {
			return err
		}
		if op != nil && op == last {
			return nil
		}
	}
}

// stageName is what the stage calls itself: STAGE_NAME in stage.h. execve(2) gives no program a name with a slash.
const stageName = "hull/stage"

// gone says whether the stage has come to its end without the user's program. The conversation's end is
// no answer: a process that ends closes its descriptors too. But it is marked as ending before;
// and if it had run another program before that, it would have that one's name.
// Where somebody else has reaped it already, as may happen to start, nobody knows.
func (s *Stage) gone() bool {
	stat, err := sys.Stat(s.Pid)
	if err != nil || !stat.Exiting {
		return false
	}
	name, err := sys.ReadProc(strconv.Itoa(s.Pid) + "/comm")
	return err == nil && string(name) == stageName+"\n"
}

// Attach is a stage that another command started and this one has released:
// it asks nothing any more. failed explains the failure of an operation.
func Attach(pid int, sock, pidfd *os.File, times *trace.Times, failed func(op uint32, errno int32) error) *Stage {
	return &Stage{Pid: pid, sock: sock, PidFD: pidfd, times: times, failed: failed}
}

// handle acts on one message; it returns the operation that asked, if one did.
func (s *Stage) handle(m *message) (*plan.Op, error) {
	if s.plan == nil {
		return nil, s.handleReleased(m)
	}
	ops := s.plan.Ops()
	if int(m.op) >= len(ops) {
		return nil, fmt.Errorf("protocol: operation %d of %d", m.op, len(ops))
	}
	op := ops[m.op]
	switch m.kind {
	case msgAsk:
		return op, s.answer(op, m)
	case msgFailed:
		return nil, op.Fail(m.value)
	case msgForked:
		return nil, s.forked(int(m.value))
	case msgListener:
		return nil, s.listener(int(m.value))
	}
	return nil, fmt.Errorf("protocol: message of unknown kind %d", m.kind)
}

// handleReleased acts on a message of a stage that was attached to.
func (s *Stage) handleReleased(m *message) error {
	switch m.kind {
	case msgFailed:
		return s.failed(m.op, m.value)
	case msgListener:
		return s.listener(int(m.value))
	}
	return fmt.Errorf("protocol: unexpected message of kind %d", m.kind)
}

// answer runs the handler of op and sends what it gives.
func (s *Stage) answer(op *plan.Op, m *message) error {
	handler := op.Handler()
	if handler == nil {
		return fmt.Errorf("protocol: operation %d (%s) does not ask", m.op, op.Name)
	}
	call := &plan.Call{Pid: s.Pid, PidFD: s.PidFD, Files: spread(m), Errno: syscall.Errno(m.value >> 8)} //nolint:gosec // an errno
	ended := trace.Phase(op.Name)
	err := handler(call)
	ended()
	defer closeAll(call.ReplyFiles)
	if err == nil {
		err = fail.Point(op.Name)
	}
	if err == nil && (len(call.Reply) >= maxText || len(call.ReplyFiles) > maxFiles) {
		err = fmt.Errorf("protocol: the answer to %q is too long", op.Name)
	}
	b := make([]byte, 8, 8+len(call.Reply))
	if err != nil {
		b[0] = 1
		_, _ = s.sock.Write(b) // it ends either way
		return err
	}
	b = append(b, call.Reply...)
	var rights []byte
	if len(call.ReplyFiles) > 0 {
		fds := make([]int, len(call.ReplyFiles))
		for i, f := range call.ReplyFiles {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	if err := unix.Sendmsg(int(s.sock.Fd()), b, rights, nil, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("%w: %w", ErrDied, err)
	}
	return nil
}

// spread puts the descriptors that came along at the places they were sent from.
func spread(m *message) []*os.File {
	var files []*os.File
	next := 0
	for i := range 5 {
		if m.value&(1<<i) != 0 && next < len(m.files) {
			for len(files) < i {
				files = append(files, nil)
			}
			files = append(files, m.files[next])
			next++
		}
	}
	return files
}

// forked makes the child of the stage the process we talk to.
func (s *Stage) forked(pid int) error {
	if !ours(pid) {
		return fmt.Errorf("protocol: process %d is no child of ours", pid)
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		err = fail.Point("stage.forked")
	}
	if err != nil {
		// It is our child and nobody else will reap it; until then the first
		// process of its pid namespace could not end.
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = unix.Wait4(pid, nil, 0, nil)
		return os.NewSyscallError("pidfd_open", err)
	}
	s.PidFD.Close()
	s.retired, s.Pid, s.PidFD = s.Pid, pid, os.NewFile(uintptr(pidfd), "pidfd")
	s.reap()
	_, err = s.sock.Write([]byte{0})
	return err
}

// ours says whether pid is a child of ours. The number comes from inside: that of
// another process would let whoever speaks for the stage have it killed.
func ours(pid int) bool {
	err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return pid > 0 && err == nil
}

// listener fetches the seccomp listener number fd of the stage and hands it on.
func (s *Stage) listener(fd int) error {
	if s.Listener == nil {
		return fmt.Errorf("protocol: a listener that nobody has asked for")
	}
	f, err := sys.PidfdGetfd(s.PidFD, fd)
	if err != nil {
		return fmt.Errorf("fetch the seccomp listener: %w", err)
	}
	defer f.Close()
	if err := s.Listener(f); err != nil {
		return err
	}
	_, err = s.sock.Write([]byte{0})
	return err
}

// receive reads one message.
func receive(sock *os.File) (*message, error) {
	b := make([]byte, messageSize+1)
	oob := make([]byte, unix.CmsgSpace(4*maxFiles))
	for {
		n, oobn, _, _, err := unix.Recvmsg(int(sock.Fd()), b, oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECONNRESET):
			return nil, io.EOF
		case err != nil:
			return nil, os.NewSyscallError("recvmsg", err)
		case n == 0:
			return nil, io.EOF
		}
		files, err := received(oob[:oobn])
		if err != nil {
			return nil, err
		}
		m, err := decode(b[:n])
		if err != nil {
			closeAll(files)
			return nil, err
		}
		m.files = files
		return m, nil
	}
}

// decode reads the bytes of a message; anything else is an error.
func decode(b []byte) (*message, error) {
	if len(b) != messageSize {
		return nil, fmt.Errorf("protocol: a message of %d bytes, want %d", len(b), messageSize)
	}
	return &message{
		kind:  binary.NativeEndian.Uint32(b),
		op:    binary.NativeEndian.Uint32(b[4:]),
		value: int32(binary.NativeEndian.Uint32(b[8:])), //nolint:gosec // signed on the wire
	}, nil
}

// received are the descriptors in a control message.
func received(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, os.NewSyscallError("recvmsg", err)
	}
	var files []*os.File
	for i := range list {
		fds, err := unix.ParseUnixRights(&list[i])
		if err != nil {
			continue // not descriptors
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "from stage"))
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}
