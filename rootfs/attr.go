package rootfs

import (
	"sync"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// hasMountSetattr says whether mount_setattr(2) is there: Linux 5.12, and no
// filter that hides it. A size of 0 is refused before anything is looked at.
var hasMountSetattr = sync.OnceValue(func() bool {
	_, _, errno := unix.Syscall6(unix.SYS_MOUNT_SETATTR, ^uintptr(0), 0, 0, 0, 0, 0)
	return errno == unix.EINVAL
})

// attrFlags are the attributes of a mount as mount_setattr(2), mount(2) and statfs(2) have them.
var attrFlags = []struct {
	attr   uint64
	ms, st uintptr
}{
	{unix.MOUNT_ATTR_RDONLY, unix.MS_RDONLY, unix.ST_RDONLY},
	{unix.MOUNT_ATTR_NOSUID, unix.MS_NOSUID, unix.ST_NOSUID},
	{unix.MOUNT_ATTR_NODEV, unix.MS_NODEV, unix.ST_NODEV},
	{unix.MOUNT_ATTR_NOEXEC, unix.MS_NOEXEC, unix.ST_NOEXEC},
	{unix.MOUNT_ATTR_NOATIME, unix.MS_NOATIME, unix.ST_NOATIME},
	{unix.MOUNT_ATTR_STRICTATIME, unix.MS_STRICTATIME, 0}, // statfs(2): neither noatime nor relatime
	{unix.MOUNT_ATTR_NODIRATIME, unix.MS_NODIRATIME, unix.ST_NODIRATIME},
	{unix.MOUNT_ATTR_NOSYMFOLLOW, unix.MS_NOSYMFOLLOW, stNosymfollow},
}

const (
	stNosymfollow = 0x2000 // ST_NOSYMFOLLOW, Linux 5.10
	atimeFlags    = unix.MS_NOATIME | unix.MS_RELATIME | unix.MS_STRICTATIME
)

// mountFlags turns what statfs(2) says into MS_*.
func mountFlags(st int64) uintptr {
	var ms uintptr
	for _, f := range attrFlags {
		if uintptr(st)&f.st != 0 { //nolint:gosec // bits
			ms |= f.ms
		}
	}
	switch {
	case uintptr(st)&unix.ST_RELATIME != 0: //nolint:gosec // bits
		ms |= unix.MS_RELATIME
	case ms&unix.MS_NOATIME == 0:
		ms |= unix.MS_STRICTATIME
	}
	return ms
}

// withAttr are the flags of a mount that had some and gets a, as MS_*.
func withAttr(have uintptr, a specconv.Attr) uintptr {
	if a.Clear&unix.MOUNT_ATTR__ATIME != 0 {
		have &^= atimeFlags
		if a.Set&unix.MOUNT_ATTR__ATIME == unix.MOUNT_ATTR_RELATIME {
			have |= unix.MS_RELATIME
		}
	}
	for _, f := range attrFlags {
		if a.Clear&f.attr != 0 {
			have &^= f.ms
		}
		if a.Set&f.attr != 0 {
			have |= f.ms
		}
	}
	return have
}

// change sets and clears attributes of the mount whose root is mnt. With
// recursive also of those below it.
func (v *View) change(mnt plan.Reg, a specconv.Attr, recursive bool) {
	if a.IsZero() {
		return
	}
	var flags uint
	if recursive {
		flags = unix.AT_RECURSIVE
	}
	v.p.MountSetattr(mnt, flags, &unix.MountAttr{Attr_set: a.Set, Attr_clr: a.Clear}).
		Because(unix.EPERM, "a flag of the mount is locked: the user namespace it comes from has more rights, see mount_namespaces(7)")
}

// remountBind is what change does where mount_setattr(2) is missing: Linux <
// 5.12. The mount must be attached; flags is the whole set, as MS_*.
func (v *View) remountBind(mnt plan.Reg, flags uintptr) {
	path := v.through(mnt)
	v.p.Mount("", path, "", flags|unix.MS_BIND|unix.MS_REMOUNT, "")
}

// throughFD is a descriptor that nothing else uses: the stage numbers its own
// upwards from 3, and has no more than 1024.
const throughFD = 1023

// through is a path that leads to what r stands for. Plans cannot put a
// descriptor's number into a string, so r is duplicated to a number that is
// known. It is a path below the host's /proc, and must not be used after Pivot.
func (v *View) through(r plan.Reg) string {
	v.p.Syscall("duplicate the descriptor", unix.SYS_DUP3, r, plan.N(throughFD), plan.N(unix.O_CLOEXEC))
	return "/proc/self/fd/1023"
}

// propagate sets the propagation of the attached mount whose root is mnt.
func (v *View) propagate(mnt plan.Reg, types []uintptr) {
	for _, t := range types {
		if !v.setattr {
			v.p.Mount("", v.through(mnt), "", t, "")
			continue
		}
		var flags uint
		if t&unix.MS_REC != 0 {
			flags = unix.AT_RECURSIVE
		}
		v.p.MountSetattr(mnt, flags, &unix.MountAttr{Propagation: uint64(t &^ unix.MS_REC)})
	}
}
