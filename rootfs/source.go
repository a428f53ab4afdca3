package rootfs

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/internal/sys"
)

// A stage in a user namespace may not be able to reach what the configuration
// names on the host: its root is nobody there. When hull is privileged, the
// parent opens these places for it, in the stage's mount namespace: mounts
// that were copied there keep their locked flags, which a copy made in hull's
// own mount namespace would lose.

// maxFiles is how many descriptors one answer carries.
const maxFiles = 64

// fetchRoot lets the parent open the root directory as v.dst and a copy of its mounts as v.Root.
func (v *View) fetchRoot() {
	into := v.p.Regs(2)
	v.dst, v.Root = into[0], into[1]
	v.ask("open", nil, into, func(c *plan.Call) error {
		return sys.InMountNamespace(c.Pid, func() error {
			dir, err := openTree(unix.AT_FDCWD, v.o.Root, 0)
			if err != nil {
				return err
			}
			c.ReplyFiles = append(c.ReplyFiles, dir)
			root, err := openTree(int(dir.Fd()), "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE)
			if err != nil {
				return err
			}
			c.ReplyFiles = append(c.ReplyFiles, root)
			return nil
		})
	})
}

// fetchSources lets the parent open the sources of bind mounts that the stage
// cannot open, and those whose ids are to be mapped: that needs a descriptor
// of a user namespace inside an argument, and rights over the file system.
func (v *View) fetchSources() {
	var list []*mount
	for i := range v.mounts {
		if m := &v.mounts[i]; m.Bind && !m.Remount && (v.fetch || m.IDMap) {
			list = append(list, m)
		}
	}
	for len(list) > 0 {
		batch := list[:min(len(list), maxFiles)]
		list = list[len(batch):]
		into := v.p.Regs(len(batch))
		for i, m := range batch {
			m.fetched = into[i]
		}
		v.p.At("mounts", "")
		v.p.AskFiles("open the sources", nil, into, func(c *plan.Call) error {
			return sys.InMountNamespace(c.Pid, func() error {
				for _, m := range batch {
					f, err := v.openSource(m, c.Pid)
					if err != nil {
						return fmt.Errorf("%s.source (%s): %w", m.field, m.source, err)
					}
					c.ReplyFiles = append(c.ReplyFiles, f)
				}
				return nil
			})
		})
	}
}

// openSource opens a detached copy of the mount that the source of m is on.
func (v *View) openSource(m *mount, pid int) (*os.File, error) {
	flags := uint(unix.OPEN_TREE_CLONE)
	if m.Recursive {
		flags |= unix.AT_RECURSIVE
	}
	f, err := openTree(unix.AT_FDCWD, m.source, flags)
	if err != nil || !m.IDMap {
		return f, err
	}
	if err := v.mapIDs(m, f, pid); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func openTree(dir int, path string, flags uint) (*os.File, error) {
	fd, err := unix.OpenTree(dir, path, flags|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("open_tree", err)
	}
	return os.NewFile(uintptr(fd), path), nil
}
