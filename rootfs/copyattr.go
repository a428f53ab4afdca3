package rootfs

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// attributes copies owner, mode and extended attributes from one open file to
// another. In this order: a change of the owner takes set-user-ID bits and
// file capabilities away.
func (k copier) attributes(from, to *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd(from), &st); err != nil {
		return err
	}
	if err := k.owner(fd(to), "", &st); err != nil {
		return err
	}
	if err := unix.Fchmod(fd(to), st.Mode&0o7777); err != nil {
		return err
	}
	return copyXattrs(fd(from), fd(to))
}

// named gives a new file that cannot be opened its owner and mode, and every
// new file its times. Nobody else sees the directory: its names can be trusted.
func (k copier) named(dir *os.File, name string, st *unix.Stat_t) error {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR, unix.S_IFREG: // has them
	default:
		if err := k.owner(fd(dir), name, st); err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT == unix.S_IFLNK {
			break
		}
		if err := unix.Fchmodat(fd(dir), name, st.Mode&0o7777, 0); err != nil {
			return err
		}
	}
	return unix.UtimesNanoAt(fd(dir), name, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}

// owner sets the owner of the file name in dir, or of dir itself. One that the
// container has no id for stays so, and the file out of its reach.
func (k copier) owner(dir int, name string, st *unix.Stat_t) error {
	if int(st.Uid) == k.uid && int(st.Gid) == k.gid {
		return nil
	}
	return unix.Fchownat(dir, name, int(st.Uid), int(st.Gid), unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW)
}

// copyXattrs copies the extended attributes that the new file system can have.
// xattr(7).
func copyXattrs(from, to int) error {
	list := make([]byte, 1<<16) // XATTR_LIST_MAX
	n, err := unix.Flistxattr(from, list)
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return err
	}
	value := make([]byte, 1<<16) // XATTR_SIZE_MAX
	for name := range strings.SplitSeq(strings.TrimRight(string(list[:n]), "\x00"), "\x00") {
		if name == "" {
			continue
		}
		n, err := unix.Fgetxattr(from, name, value)
		if err == nil {
			err = unix.Fsetxattr(to, name, value[:n], 0)
		}
		if err != nil && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.ENODATA) {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
