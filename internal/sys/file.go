package sys

import (
	"errors"
	"io/fs"
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
	if err := writeNew(next, data, mode); err != nil {
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

// writeNew writes the file path, which is not there but for one that a killed
// command has left: no link that somebody has put there is followed.
func writeNew(path string, data []byte, mode os.FileMode) error {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := os.OpenFile(path, flags, mode)
	if errors.Is(err, fs.ErrExist) {
		_ = os.Remove(path)
		f, err = os.OpenFile(path, flags, mode)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(path)
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
