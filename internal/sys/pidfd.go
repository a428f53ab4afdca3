package sys

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// PidfdGetfd duplicates descriptor fd of the process into ours. pidfd_getfd(2).
func PidfdGetfd(pidfd *os.File, fd int) (*os.File, error) {
	n, err := unix.PidfdGetfd(int(pidfd.Fd()), fd, 0)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_getfd", err)
	}
	return os.NewFile(uintptr(n), "from process"), nil
}

// PidfdOpen is pidfd_open(2).
func PidfdOpen(pid int) (*os.File, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// WaitDead waits until the process has ended (a zombie has). timeout is in
// milliseconds, -1 for ever; false says that it ran out. poll(2).
func WaitDead(pidfd *os.File, timeout int) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(pidfd.Fd()), Events: unix.POLLIN}} //nolint:gosec // a descriptor
	for {
		n, err := unix.Poll(fds, timeout)
		if !errors.Is(err, unix.EINTR) {
			return n > 0, os.NewSyscallError("poll", err)
		}
	}
}

// HasCloneIntoCgroup says whether clone3(2) knows CLONE_INTO_CGROUP: Linux 5.7,
// and no filter that hides it. It is asked for a child with an exit signal that
// is none; a kernel that does not know the member cgroup says E2BIG before.
func HasCloneIntoCgroup() bool {
	args := struct {
		flags, pidfd, childTID, parentTID, exitSignal     uint64
		stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
	}{flags: unix.CLONE_INTO_CGROUP, exitSignal: 1 << 32, cgroup: 1}
	_, _, errno := unix.Syscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	return errno == unix.EINVAL
}
