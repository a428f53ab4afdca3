package sys

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
)

// againLimit bounds how often an openat2 that raced with a rename is tried again, see openat2(2).
const againLimit = 1000

func openat2(dir int, path string, how *unix.OpenHow) (int, error) {
	for range againLimit {
		fd, err := unix.Openat2(dir, path, how)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		return fd, err
	}
	return -1, unix.EAGAIN
}

// Reopen opens the file that f, a descriptor opened with O_PATH, stands for.
func Reopen(f *os.File, flags int) (*os.File, error) {
	return OpenProc(fmt.Sprintf("self/fd/%d", f.Fd()), flags, true)
}

// OpenInRoot opens path, O_PATH, as a process would whose root is the directory root.
func OpenInRoot(root *os.File, path string) (*os.File, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := openat2(int(root.Fd()), path, &how)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// CloexecFrom marks every descriptor from first on close-on-exec, so that what
// our caller leaked into us does not reach the container. close_range(2).
func CloexecFrom(first uint) error {
	if fail.Off("close-on-exec") {
		return nil
	}
	err := unix.CloseRange(first, ^uint(0)>>32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	return cloexecEach(int(first))
}

// cloexecEach does what CloexecFrom does where close_range is missing or has
// no CLOSE_RANGE_CLOEXEC: Linux < 5.11, or a filter that hides it.
func cloexecEach(first int) error {
	dir, err := OpenProc("thread-self/fd", unix.O_RDONLY|unix.O_DIRECTORY, false)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		var fd int
		if _, err := fmt.Sscan(name, &fd); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// Dup is another descriptor for the same open file. fcntl(2) F_DUPFD_CLOEXEC.
func Dup(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
