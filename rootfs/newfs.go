package rootfs

import (
	"strings"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// newFS makes a file system and attaches it.
func (v *View) newFS(m *mount) {
	p := v.p
	p.At(m.field, m.Destination)
	if m.spec.Type == "tmpfs" {
		v.openCovered(m)
	}
	if m.spec.Type == "proc" || m.spec.Type == "sysfs" {
		v.openPlain(m.Destination, m.spec.Type)
	} else {
		v.destination(m, true)
	}
	data := v.data(m)
	if needsMount2(m, data) {
		v.mount2(m, data)
		return
	}
	attr, lately := attrOf(m)
	mnt := v.src
	if lately {
		mnt = p.Reg()
		v.late = append(v.late, late{plan.Site{Field: m.field, Target: m.Destination}, mnt, withAttr(0, attr)})
	}
	v.super(m, data, lately)
	fsmount := p.Fsmount(v.fs, attr.Set).To(mnt)
	if v.o.Userns || v.o.Rootless {
		fsmount.Because(unix.EPERM, "a user namespace may mount a "+m.spec.Type+" only where one that nothing covers is visible already")
	}
	v.explained(fsmount)
	p.Close(v.fs)
	v.label(m, mnt)
	if m.TmpCopyUp {
		v.copyUp(mnt)
	}
	if m.spec.Type == "tmpfs" {
		p.Close(v.covered)
	}
	v.move(mnt)
	v.propagate(mnt, m.Propagation)
	if !lately {
		v.release(m, mnt)
	}
}

// attrOf are the attributes a new mount of m starts with. A tmpfs and whatever
// is on /dev are still to be filled: they become read-only lately, in Restrict.
func attrOf(m *mount) (attr specconv.Attr, lately bool) {
	attr.Set = m.Attr.Set&^m.RecursiveAttr.Clear | m.RecursiveAttr.Set
	attr.Clear = unix.MOUNT_ATTR__ATIME
	if attr.Set&unix.MOUNT_ATTR_RDONLY != 0 && (m.spec.Type == "tmpfs" || m.Destination == "/dev") {
		attr.Set &^= unix.MOUNT_ATTR_RDONLY
		return attr, true
	}
	return attr, false
}

// maxString is the longest value that fsconfig(2) takes.
const maxString = 255

// needsMount2 says that the new mount API cannot do it: it has no i_version
// flag, and takes no value longer than maxString (the layers of an overlay).
func needsMount2(m *mount, data []string) bool {
	if m.spec.Type == "tmpfs" { // has no use for either
		return false
	}
	long := len(m.spec.Source) > maxString
	for _, d := range data {
		_, value, _ := strings.Cut(d, "=")
		long = long || len(value) > maxString
	}
	return long || m.Super&unix.MS_I_VERSION != 0
}

// mount2 makes the mount by mount(2), on the directory that is open as v.dst.
func (v *View) mount2(m *mount, data []string) {
	p := v.p
	attr, _ := attrOf(m)
	p.Mount(m.spec.Source, v.through(v.dst), m.spec.Type, withAttr(0, attr)|m.Super, strings.Join(data, ",")).
		Name = "mount " + m.spec.Type
	p.Close(v.dst)
	if len(m.Propagation) > 0 {
		p.OpenInRoot(v.Root, m.Destination, unix.O_PATH).To(v.dst)
		v.propagate(v.dst, m.Propagation)
		p.Close(v.dst)
	}
}
