package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// dir is an open cgroup directory, the only door to the files in it.
//
// The zero of its descriptor is absent: nothing can be read from it.
type dir struct {
	fd   int
	path string
}

// absent stands for a cgroup that does not exist.
var absent = &dir{fd: -1}

// openDir opens a directory of a cgroup file system, and nothing else: what
// it writes must not land in a plain file that somebody has put there.
func openDir(path string) (*dir, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	d := &dir{fd: fd, path: path}
	if err := d.verify(); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *dir) verify() error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(d.fd, &st); err != nil {
		return &fs.PathError{Op: "statfs", Path: d.path, Err: err}
	}
	if st.Type != unix.CGROUP_SUPER_MAGIC && st.Type != unix.CGROUP2_SUPER_MAGIC {
		return fmt.Errorf("%s: not on a cgroup file system (type %#x)", d.path, st.Type)
	}
	return nil
}

func (d *dir) close() {
	if d.fd >= 0 {
		_ = unix.Close(d.fd)
	}
}

// open opens a file or directory of d. It must be d's own: nothing mounted over
// it, no link. Errors are bare errnos: callers say more about the file.
func (d *dir) open(name string, flags int) (int, error) {
	if d.fd < 0 {
		return -1, unix.ENOENT
	}
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC | unix.O_NOFOLLOW), //nolint:gosec // flags
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS,
	}
	return retry(func() (int, error) { return unix.Openat2(d.fd, name, &how) })
}

// file is open as an os.File, for files that are handed to others.
func (d *dir) file(name string, flags int) (*os.File, error) {
	path := filepath.Join(d.path, name)
	fd, err := d.open(name, flags)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// write writes value to a file in one write(2), as cgroupfs wants it.
func (d *dir) write(name, value string) error {
	fd, err := d.open(name, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return writeTo(fd, value)
}

func writeTo(fd int, value string) error {
	n, err := retry(func() (int, error) { return unix.Write(fd, []byte(value)) })
	if err == nil && n != len(value) {
		return unix.EIO
	}
	return err
}

// read is the content of a file without the newline at its end.
func (d *dir) read(name string) (string, error) {
	fd, err := d.open(name, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	text, err := readFrom(fd)
	return strings.TrimSuffix(text, "\n"), err
}

// readFrom reads from the file's start. Most cgroup files are shorter than a
// page, but cgroup.procs, memory.stat and devices.list need not be.
func readFrom(fd int) (string, error) {
	buf := make([]byte, 0, 4096)
	for {
		buf = slices.Grow(buf, 1024)
		n, err := retry(func() (int, error) { return unix.Pread(fd, buf[len(buf):cap(buf)], int64(len(buf))) })
		if err != nil {
			return "", err
		}
		if n == 0 {
			return string(buf), nil
		}
		buf = buf[:len(buf)+n]
	}
}

func (d *dir) exists(name string) bool {
	var st unix.Stat_t
	return d.fd >= 0 && unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

// readUint reads a file that holds one number. The word max is the largest.
func (d *dir) readUint(name string) (uint64, error) {
	text, err := d.read(name)
	if err != nil {
		return 0, err
	}
	return parseUint(text)
}

// parseUint knows the two ways of cgroupfs to say "no limit".
func parseUint(text string) (uint64, error) {
	text = strings.TrimSpace(text)
	if text == "max" || text == "-1" {
		return 1<<64 - 1, nil
	}
	return strconv.ParseUint(text, 10, 64)
}

// entries lists the files and cgroups in d.
func (d *dir) entries() ([]os.DirEntry, error) {
	fd, err := d.open(".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), d.path)
	defer f.Close()
	return f.ReadDir(-1)
}

// subdirs are the names of the cgroups below d.
func (d *dir) subdirs() ([]string, error) {
	entries, err := d.entries()
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// sub opens the cgroup name below d.
func (d *dir) sub(name string) (*dir, error) {
	fd, err := d.open(name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	return &dir{fd: fd, path: filepath.Join(d.path, name)}, nil
}

// walk calls f for d and every cgroup below it, a child before its parent, so
// that f may remove them. Cgroups that vanish meanwhile are none of its business.
func (d *dir) walk(f func(*dir) error) error {
	names, err := d.subdirs()
	if err != nil && !gone(err) {
		return err
	}
	for _, name := range names {
		child, err := d.sub(name)
		if gone(err) {
			continue
		} else if err != nil {
			return err
		}
		err = child.walk(f)
		child.close()
		if err != nil {
			return err
		}
	}
	return f(d)
}

// gone says that a cgroup was removed: ENODEV comes from a file of it that is still open.
func gone(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) }

// retry repeats a system call that a signal has interrupted. The kernel gives
// up on lowering a memory limit, for one, when a signal is pending.
func retry(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != unix.EINTR { //nolint:errorlint // a bare errno
			return n, err
		}
	}
}
