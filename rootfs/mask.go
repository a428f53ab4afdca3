package rootfs

import (
	"fmt"
	"path"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// Restrict takes away what the container must not see or change: masked paths,
// read-only paths, and at the very end the root. All copies of mounts are
// made before Pivot: open_tree(2) copies from the caller's mount namespace only.
func (v *View) Restrict() {
	if !v.mntns {
		return
	}
	for _, l := range v.late {
		v.p.At(l.site.Field, l.site.Target)
		v.readonly(l.mnt, l.have)
		v.p.Close(l.mnt)
	}
	v.readonlyPaths()
	v.maskedPaths()
	for _, h := range v.held {
		v.p.Close(h.mnt)
	}
	if v.o.Spec.Root != nil && v.o.Spec.Root.Readonly {
		v.p.At("root.readonly", "/")
		v.readonly(v.Root, v.have)
	}
}

// readonly makes the attached mount whose root is mnt read-only. have are its flags, as MS_*.
func (v *View) readonly(mnt plan.Reg, have uintptr) {
	if v.setattr {
		v.change(mnt, specconv.Attr{Set: unix.MOUNT_ATTR_RDONLY}, false)
	} else {
		v.remountBind(mnt, have|unix.MS_RDONLY)
	}
}

// readonlyPaths puts a read-only copy of each path's mount over it. What is
// mounted below stays as it is. Paths that are not there are skipped.
func (v *View) readonlyPaths() {
	p := v.p
	for i, file := range v.linux().ReadonlyPaths {
		p.At(fmt.Sprintf("linux.readonlyPaths[%d]", i), file)
		if path.Clean(file) == "/" { // a copy on top of the root would not be the root
			v.readonly(v.Root, v.have)
			continue
		}
		skip := p.NewLabel()
		v.open(file).On(skip, unix.ENOENT, unix.ENOTDIR).To(v.dst)
		v.clone(v.dst, "", true, v.src)
		if v.setattr {
			v.readonly(v.src, 0)
		}
		v.move(v.src)
		if !v.setattr {
			v.readonly(v.src, v.flagsAt(file))
		}
		p.Close(v.src)
		p.Mark(skip)
	}
}

// maskedPaths covers each path that is there: a directory with an empty
// read-only tmpfs, the same for all, and anything else with the host's
// /dev/null. The container's own is never used (CVE-2025-31133).
func (v *View) maskedPaths() {
	p := v.p
	paths := v.linux().MaskedPaths
	if len(paths) == 0 {
		return
	}
	p.At("linux.maskedPaths", "")
	null, empty := p.Reg(), p.Reg()
	v.hostDevice("/dev/null", unix.S_IFCHR, unix.Mkdev(1, 3), null)
	v.emptyDir(empty)
	seen := map[string]bool{}
	for i, file := range paths {
		if seen[path.Clean(file)] {
			continue
		}
		seen[path.Clean(file)] = true
		p.At(fmt.Sprintf("linux.maskedPaths[%d]", i), file)
		v.mask(file, null, empty)
	}
	p.Close(null)
	p.Close(empty)
}

// mask covers one path.
func (v *View) mask(file string, null, empty plan.Reg) {
	p := v.p
	skip, plain, first := p.NewLabel(), p.NewLabel(), p.NewLabel()
	v.open(file).On(skip, unix.ENOENT, unix.ENOTDIR).To(v.dst)
	p.Check(v.dst, 0, unix.S_IFDIR, 0, "a directory").On(plain, unix.ESTALE)

	// Before Linux 6.15 a detached mount cannot be copied: the tmpfs itself goes to the first directory.
	v.clone(empty, "", false, v.src).On(first, unix.EINVAL)
	v.move(v.src)
	p.Close(v.src)
	p.Goto(skip)
	p.Mark(first)
	v.move(empty)
	p.Goto(skip)

	p.Mark(plain)
	v.clone(null, "", false, v.src)
	v.move(v.src)
	p.Close(v.src)
	p.Mark(skip)
}

// emptyDir opens a detached tmpfs with nothing in it and room for nothing.
func (v *View) emptyDir(into plan.Reg) {
	p := v.p
	p.Fsopen("tmpfs").To(v.fs)
	p.FsconfigString(v.fs, "source", "tmpfs")
	p.FsconfigString(v.fs, "mode", "555")
	p.FsconfigString(v.fs, "nr_blocks", "1")
	p.FsconfigString(v.fs, "nr_inodes", "2")
	p.FsconfigFlag(v.fs, "ro")
	if label := v.linux().MountLabel; label != "" {
		p.FsconfigString(v.fs, "context", label)
	}
	p.FsconfigCreate(v.fs, "tmpfs")
	p.Fsmount(v.fs, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC).To(into)
	p.Close(v.fs)
}
