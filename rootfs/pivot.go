package rootfs

import (
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// Pivot makes v.Root the root of the process, and leaves nothing of the host
// in its mount namespace. v.Root is closed. The working directory is the new root.
func (v *View) Pivot() {
	p := v.p
	p.At("root.path", v.o.Root)
	switch {
	case !v.mntns:
		p.Fchdir(v.Root)
		p.Syscall("chroot", unix.SYS_CHROOT, plan.Str("."))
	case v.o.NoPivot:
		v.moveRoot()
	default:
		v.pivotRoot()
	}
	p.Syscall("change directory to /", unix.SYS_CHDIR, plan.Str("/"))
	p.Close(v.Root)
	if v.propagation != 0 {
		p.At("linux.rootfsPropagation", v.linux().RootfsPropagation)
		p.Mount("", "/", "", v.propagation, "")
	}
}

// pivotRoot stacks the old root on the new one, which needs no directory for
// it, and detaches it: pivot_root(2) "pivot_root(".", ".")".
func (v *View) pivotRoot() {
	p := v.p
	p.Openat(plan.Cwd, "/", unix.O_PATH|unix.O_DIRECTORY, 0).To(v.dst)
	p.Fchdir(v.Root)
	p.Syscall("pivot_root", unix.SYS_PIVOT_ROOT, plan.Str("."), plan.Str(".")).
		Because(unix.EINVAL, "pivot_root is refused: the host's root is an initramfs, or hull runs in a chroot; try --no-pivot")
	p.Fchdir(v.dst)
	// Or the unmounting would reach the host where its mounts are still shared.
	p.Mount("", ".", "", unix.MS_SLAVE|unix.MS_REC, "")
	p.Syscall("unmount the old root", unix.SYS_UMOUNT2, plan.Str("."), plan.N(unix.MNT_DETACH))
	p.Close(v.dst)
}
