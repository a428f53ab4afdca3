package sys

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
)

// Open is os.OpenFile for files that one never waits for. That one would ask
// to be woken for them, in five more system calls, to learn that they cannot be polled.
// O_NONBLOCK counts for the open alone.
func Open(path string, flags int, mode os.FileMode) (*os.File, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, uint32(mode.Perm()))
		if err == nil && flags&unix.O_NONBLOCK != 0 {
			err = unix.SetNonblock(fd, false)
		}
		if err == nil {
			return os.NewFile(uintptr(fd), path), nil
		}
		if err != unix.EINTR {
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// ReadFile is os.ReadFile for files that Open is for.
func ReadFile(path string) ([]byte, error) {
	f, err := Open(path, unix.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const mostly = 4096 // a file of the kernel's, or a record
	var b bytes.Buffer
	b.Grow(mostly)
	_, err = b.ReadFrom(f)
	return b.Bytes(), err
}

// WriteFile is os.WriteFile for files that Open is for.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	f, err := Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

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
	f, err := Open(path, flags, mode)
	if errors.Is(err, fs.ErrExist) {
		_ = os.Remove(path)
		f, err = Open(path, flags, mode)
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
