// Package sys holds hull's doors to the kernel: each wraps one surface with
// the checks that make it safe to use beside a hostile process.
package sys

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
)

const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE

// SealedMemfd returns an anonymous file with the content data that nobody can
// change any more. memfd_create(2), fcntl(2) F_ADD_SEALS.
func SealedMemfd(name string, data []byte, executable bool) (*os.File, error) {
	fd, err := memfd(name, executable)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.Write(data); err != nil {
		f.Close()
		return nil, fmt.Errorf("memfd %s: %w", name, err)
	}
	if fail.Off("seals") {
		return f, nil
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		f.Close()
		return nil, fmt.Errorf("memfd %s: seal: %w", name, err)
	}
	return f, nil
}

func memfd(name string, executable bool) (int, error) {
	flags, exec := unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING, unix.MFD_NOEXEC_SEAL
	if executable {
		exec = unix.MFD_EXEC
	}
	fd, err := unix.MemfdCreate(name, flags|exec)
	if errors.Is(err, unix.EINVAL) { // Linux < 6.3: every memfd is executable
		fd, err = unix.MemfdCreate(name, flags)
	}
	if errors.Is(err, unix.EACCES) && executable {
		return -1, fmt.Errorf("memfd_create: the sysctl vm.memfd_noexec forbids executable memory files: %w", err)
	}
	return fd, os.NewSyscallError("memfd_create", err)
}
