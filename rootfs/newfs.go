package rootfs

import (
	"strings"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// maxString is the longest value that fsconfig(2) takes.
const maxString = 255

// newFS makes a file system and attaches it.
func (v *View) newFS(m *mount) {
	p := v.p
	p.At(m.field, m.Destination)
	data := v.data(m)
	keep := m.spec.Type == "tmpfs" && !has(data, "mode")
	if keep {
		v.lookForMode(m)
	}
	if m.spec.Type == "proc" || m.spec.Type == "sysfs" {
		v.openPlain(m.Destination, m.spec.Type)
	} else {
		v.destination(m, true)
	}
	if needsMount2(m, data) {
		v.mount2(m, data)
		return
	}
	attr, lately := v.attrOf(m)
	mnt := v.src
	if lately {
		mnt = p.Reg()
		v.late = append(v.late, late{plan.Site{Field: m.field, Target: m.Destination}, mnt, withAttr(0, attr)})
	}
	v.super(m, data, lately)
	if keep {
		v.keepMode()
	}
	p.FsconfigCreate(v.fs, m.spec.Type).Because(unix.EPERM, "this user namespace may not mount a "+m.spec.Type)
	p.Fsmount(v.fs, attr.Set).To(mnt).
		Because(unix.EPERM, "a user namespace may mount a "+m.spec.Type+" only where one without flags or covers is visible already")
	p.Close(v.fs)
	v.label(m, mnt)
	if m.TmpCopyUp {
		v.copyUp(mnt)
	}
	v.move(mnt)
	v.propagate(mnt, m.Propagation)
	if !lately {
		p.Close(mnt)
	}
}

// attrOf are the attributes a new mount of m starts with. A tmpfs and whatever
// is on /dev are still to be filled: they become read-only lately, in Restrict.
func (v *View) attrOf(m *mount) (attr specconv.Attr, lately bool) {
	attr.Set = m.Attr.Set&^m.RecursiveAttr.Clear | m.RecursiveAttr.Set
	attr.Clear = unix.MOUNT_ATTR__ATIME
	if attr.Set&unix.MOUNT_ATTR_RDONLY != 0 && (m.spec.Type == "tmpfs" || m.Destination == "/dev") {
		attr.Set &^= unix.MOUNT_ATTR_RDONLY
		return attr, true
	}
	return attr, false
}

// super configures the superblock, whose context it leaves in v.fs.
func (v *View) super(m *mount, data []string, writable bool) {
	p := v.p
	fstype := m.spec.Type
	p.Fsopen(fstype).To(v.fs).
		Because(unix.EPERM, "this user namespace may not mount a "+fstype)
	if m.spec.Source != "" {
		p.FsconfigString(v.fs, "source", m.spec.Source)
	}
	for _, key := range m.SuperWords() {
		if key != "ro" || !writable {
			p.FsconfigFlag(v.fs, key)
		}
	}
	for _, d := range data {
		v.set(d)
	}
}

// set gives the file system context v.fs the option `key` or `key=value`.
func (v *View) set(option string) {
	if key, value, ok := strings.Cut(option, "="); ok {
		v.p.FsconfigString(v.fs, key, value)
	} else {
		v.p.FsconfigFlag(v.fs, option)
	}
}

// has says whether data sets key.
func has(data []string, key string) bool {
	for _, d := range data {
		if k, _, _ := strings.Cut(d, "="); k == key {
			return true
		}
	}
	return false
}

// unlabelled are the file systems that take no SELinux context: those of the
// kernel have their own, and an mqueue is labelled when it is mounted.
var unlabelled = map[string]bool{"proc": true, "sysfs": true, "mqueue": true}

// data is m's data for the file system: with the SELinux context, and without
// a group for the terminals that the user namespace does not have.
func (v *View) data(m *mount) []string {
	var data []string
	for _, d := range m.Data {
		if m.spec.Type == "devpts" && d == "gid=5" && v.o.Userns && !v.mapped(5) {
			continue
		}
		data = append(data, d)
	}
	if label := v.linux().MountLabel; label != "" && !unlabelled[m.spec.Type] && !has(data, "context") {
		data = append(data, "context="+label)
	}
	return data
}

// mapped says whether the container's user namespace has the group gid, as
// far as the configuration tells.
func (v *View) mapped(gid uint32) bool {
	for _, m := range v.linux().GIDMappings {
		if gid >= m.ContainerID && gid-m.ContainerID < m.Size {
			return true
		}
	}
	return len(v.linux().GIDMappings) == 0
}

// label gives the root of an mqueue its SELinux label.
func (v *View) label(m *mount, mnt plan.Reg) {
	label := v.linux().MountLabel
	if label == "" || m.spec.Type != "mqueue" {
		return
	}
	v.p.Openat(mnt, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0).To(v.fs)
	v.p.Syscall("label the message queues", unix.SYS_FSETXATTR, v.fs, plan.Str("security.selinux"), plan.Str(label), plan.N(len(label)), plan.N(0))
	v.p.Close(v.fs)
}

// needsMount2 says that the new mount API cannot do it: it has no i_version
// flag, and takes no value longer than maxString (the layers of an overlay).
func needsMount2(m *mount, data []string) bool {
	if m.spec.Type == "tmpfs" { // has no use for either
		return false
	}
	if m.Super&unix.MS_I_VERSION != 0 {
		return true
	}
	for _, d := range append(data, "source="+m.spec.Source) {
		if _, value, _ := strings.Cut(d, "="); len(value) > maxString {
			return true
		}
	}
	return false
}

// mount2 makes the mount by mount(2), on the directory that v.dst has verified.
func (v *View) mount2(m *mount, data []string) {
	p := v.p
	attr, _ := v.attrOf(m)
	flags := withAttr(0, attr) | m.Super
	p.Mount(m.spec.Source, v.through(v.dst), m.spec.Type, flags, strings.Join(data, ",")).
		Name = "mount " + m.spec.Type
	p.Close(v.dst)
	if len(m.Propagation) > 0 {
		p.OpenInRoot(v.Root, m.Destination, unix.O_PATH).To(v.dst)
		v.propagate(v.dst, m.Propagation)
		p.Close(v.dst)
	}
}
