package sys

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
)

// WriteAtomic replaces the file path by data: a reader, or a machine that
// loses power, sees the old content or the new. The new file is written
// beside it as path.new first.
func WriteAtomic(path string, data []byte, mode os.FileMode) error {
	next := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(next, data, mode); err != nil {
		_ = os.Remove(next)
		return err
	}
	err := fail.Point("file.written")
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		_ = os.Remove(next)
	}
	return err
}

// Lock takes an exclusive lock on the open directory or file. It ends when f
// is closed. flock(2).
func Lock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if err != unix.EINTR {
			return os.NewSyscallError("flock", err)
		}
	}
}
