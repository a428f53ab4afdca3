package rootfs

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/internal/sys"
)

// copyUp lets the parent copy what is in the directory v.covered to the
// detached tmpfs mnt, before anybody can see either change. The directory may
// be on a volume that another container is changing: both trees are walked by
// descriptor, one name at a time, and no link is followed.
func (v *View) copyUp(mnt plan.Reg) {
	v.ifCovers(func() {
		v.ask("copy up", []plan.Reg{v.covered, mnt}, nil, func(c *plan.Call) error {
			if len(c.Files) != 2 {
				return errors.New("the stage sent no descriptors")
			}
			return sys.OnOwnThread(func() error { return copyTree(c.Files[0], c.Files[1]) })
		})
	})
}

// copyTree copies the directory from to the empty root of a file system. Both are O_PATH.
func copyTree(from, to *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd(to), &st); err != nil {
		return err
	}
	k := copier{uid: int(st.Uid), gid: int(st.Gid)}
	in, err := sys.Reopen(from, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := sys.Reopen(to, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer out.Close()
	return k.dir(in, out)
}

// copier makes files as root of the container, uid and gid on the host: in a
// tmpfs of a user namespace there can be no others, not even for a moment.
type copier struct{ uid, gid int }

// dir copies what is in a directory, and then its attributes.
func (k copier) dir(from, to *os.File) error {
	names, err := from.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := k.entry(from, to, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return k.attributes(from, to)
}

// entry copies one name of a directory.
func (k copier) entry(fromDir, toDir *os.File, name string) error {
	from, err := openat(fromDir, name, unix.O_PATH, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil // gone meanwhile
	}
	if err != nil {
		return err
	}
	defer from.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd(from), &st); err != nil {
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		err = k.subdir(from, toDir, name)
	case unix.S_IFREG:
		err = k.file(from, toDir, name)
	case unix.S_IFLNK:
		err = k.link(from, toDir, name)
	case unix.S_IFCHR, unix.S_IFBLK:
		if k.uid != 0 {
			return nil // nobody could open it: devices do not work in a user namespace's tmpfs
		}
		fallthrough
	default:
		err = k.create(func() error { return unix.Mknodat(fd(toDir), name, st.Mode&unix.S_IFMT, int(st.Rdev)) }) //nolint:gosec // a device
	}
	if err != nil {
		return err
	}
	return k.named(toDir, name, &st)
}

func (k copier) subdir(from, toDir *os.File, name string) error {
	if err := k.create(func() error { return unix.Mkdirat(fd(toDir), name, 0o700) }); err != nil {
		return err
	}
	in, err := sys.Reopen(from, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := openat(toDir, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer out.Close()
	return k.dir(in, out)
}

func (k copier) file(from, toDir *os.File, name string) error {
	in, err := sys.Reopen(from, unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer in.Close()
	var out *os.File
	err = k.create(func() (err error) {
		out, err = openat(toDir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return k.attributes(in, out)
}

func (k copier) link(from, toDir *os.File, name string) error {
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd(from), "", target)
	if err != nil {
		return err
	}
	return k.create(func() error { return unix.Symlinkat(string(target[:n]), fd(toDir), name) })
}

// create runs fn as root of the container. setfsuid(2) is for this thread alone.
func (k copier) create(fn func() error) error {
	uid, gid := os.Geteuid(), os.Getegid()
	if k.uid == uid && k.gid == gid {
		return fn()
	}
	// The group first and last: both need the privileges of uid.
	_ = unix.Setfsgid(k.gid) // what could not be set shows in who owns the file
	_ = unix.Setfsuid(k.uid)
	err := fn()
	_ = unix.Setfsuid(uid)
	_ = unix.Setfsgid(gid)
	return err
}

func openat(dir *os.File, name string, flags int, mode uint32) (*os.File, error) {
	n, err := unix.Openat(fd(dir), name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(n), name), nil
}

func fd(f *os.File) int { return int(f.Fd()) }
