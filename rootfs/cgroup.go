package rootfs

import (
	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// cgroup shows the container its own cgroup: a copy of the host's mount with
// that directory as its root. In a cgroup namespace a new mount of the file
// system would show the same, but costs a superblock on v1 and is refused to
// most user namespaces.
//
// On v1 there is one directory for each hierarchy, on a tmpfs.
func (v *View) cgroup(m *mount) {
	p := v.p
	p.At(m.field, m.Destination)
	if first := v.o.Cgroups[0]; first.Name == "" {
		v.clone(plan.Cwd, first.Dir, m.Recursive, v.src)
		v.destination(m, true)
		v.attach(m, v.src, v.cgroupFlags())
		p.Close(v.src)
		return
	}
	v.destination(m, true)
	p.Fsopen("tmpfs").To(v.fs)
	p.FsconfigString(v.fs, "source", "cgroup")
	p.FsconfigString(v.fs, "mode", "755")
	if label := v.linux().MountLabel; label != "" {
		p.FsconfigString(v.fs, "context", label)
	}
	p.FsconfigCreate(v.fs, "tmpfs")
	attr, _ := attrOf(m)
	attr.Set &^= unix.MOUNT_ATTR_RDONLY
	p.Fsmount(v.fs, attr.Set).To(v.fs)
	v.move(v.fs)
	for _, h := range v.o.Cgroups {
		v.hierarchy(m, h)
	}
	readonly := specconv.Attr{Set: m.Attr.Set & unix.MOUNT_ATTR_RDONLY}
	if v.setattr {
		v.change(v.fs, readonly, false)
	} else if readonly.Set != 0 {
		v.remountBind(v.fs, withAttr(0, m.Attr))
	}
	v.propagate(v.fs, m.Propagation)
	p.Close(v.fs)
}

// hierarchy attaches one v1 hierarchy to its directory in the tmpfs v.fs.
func (v *View) hierarchy(m *mount, h Hierarchy) {
	p := v.p
	p.Mkdirat(v.fs, h.Name, 0o755)
	v.clone(plan.Cwd, h.Dir, false, v.src)
	p.Openat(v.fs, h.Name, unix.O_PATH|unix.O_DIRECTORY, 0).To(v.dst)
	v.attach(m, v.src, v.cgroupFlags())
	p.Close(v.src)
	for _, link := range h.Links {
		p.Symlinkat(h.Name, v.fs, link)
	}
}

// cgroupFlags are the flags that cgroup file systems are mounted with everywhere.
func (v *View) cgroupFlags() uintptr {
	return unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RELATIME
}
