package rootfs

import (
	"path/filepath"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// Prepare makes the root file system a mount of its own and opens it as
// v.Root. The stage's umask is 0: modes are meant as they are given here.
func (v *View) Prepare() {
	p := v.p
	p.At("root.path", v.o.Root)
	if !v.mntns {
		p.OpenTree(plan.Cwd, v.o.Root, 0).To(v.Root)
		p.Check(v.Root, 0, unix.S_IFDIR, 0, "a directory")
		return
	}
	v.isolate()
	if v.fetch {
		v.fetchRoot()
	} else {
		p.OpenTree(plan.Cwd, v.o.Root, 0).To(v.dst)
		p.OpenTree(v.dst, "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE).To(v.Root).
			Because(unix.EINVAL, "cannot be cloned: it is on an unbindable mount")
	}
	p.Check(v.dst, 0, unix.S_IFDIR, 0, "a directory")
	p.MoveMount(v.Root, v.dst)
	p.Close(v.dst)
	if v.shared() {
		v.propagate(v.Root, []uintptr{unix.MS_SLAVE | unix.MS_REC})
	}
}

// isolate sees to it that no mount made from now on reaches the host, while
// those of the host still arrive (slave). Only when the root is to be shared
// do mounts stay peers of the host's, so that a volume can be too; then the
// mount that holds the root must not be, for the root is attached to it.
func (v *View) isolate() {
	p := v.p
	p.At("linux.rootfsPropagation", v.linux().RootfsPropagation)
	if !v.shared() {
		p.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, "").
			Because(unix.EINVAL, "the host's / is not a mount: hull cannot run in a chroot")
		p.At("root.path", v.o.Root)
		return
	}
	done := p.NewLabel()
	for dir := v.o.Root; ; dir = filepath.Dir(dir) {
		op := p.Mount("", dir, "", unix.MS_PRIVATE, "").Then(done)
		if dir == "/" {
			break
		}
		op.On(plan.Next, unix.EINVAL) // not a mount point
	}
	p.Mark(done)
	p.At("root.path", v.o.Root)
}

// shared says whether mounts are to stay peers of the host's. In a mount
// namespace of another user namespace none is, see mount_namespaces(7).
func (v *View) shared() bool {
	return v.propagation&unix.MS_SHARED != 0 && !v.o.Userns
}
