package specconv

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mountOption is what one word of `mounts[].options` means to the kernel.
type mountOption struct {
	word       string
	set, clear uint64  // MOUNT_ATTR_* of the mount, see mount_setattr(2)
	recursive  bool    // … and of the mounts below it
	super      uintptr // MS_* that the superblock gets, see mount(2)
	superClear uintptr // … and loses
	propagate  uintptr // one of MS_SHARED, …, perhaps with MS_REC
	note       func(*Mount)
}

// mountOptions is the table of config.md "Linux mount options", sorted by word.
//
// The access time is one setting of four values, so each of its words clears
// the whole of MOUNT_ATTR__ATIME. The words that take something back (atime,
// norelatime, nostrictatime) leave the kernel's default, relatime, which is 0.
var mountOptions = []mountOption{
	{word: "async", superClear: unix.MS_SYNCHRONOUS},
	{word: "atime", set: unix.MOUNT_ATTR_RELATIME, clear: unix.MOUNT_ATTR__ATIME},
	{word: "bind", note: func(m *Mount) { m.Bind = true }},
	{word: "defaults"},
	{word: "dev", clear: unix.MOUNT_ATTR_NODEV},
	{word: "diratime", clear: unix.MOUNT_ATTR_NODIRATIME},
	{word: "dirsync", super: unix.MS_DIRSYNC},
	{word: "exec", clear: unix.MOUNT_ATTR_NOEXEC},
	{word: "idmap", note: func(m *Mount) { m.IDMap = true }},
	{word: "iversion", super: unix.MS_I_VERSION},
	{word: "lazytime", super: unix.MS_LAZYTIME},
	{word: "loud", superClear: unix.MS_SILENT},
	{word: "mand", super: unix.MS_MANDLOCK},
	{word: "noatime", set: unix.MOUNT_ATTR_NOATIME, clear: unix.MOUNT_ATTR__ATIME},
	{word: "nodev", set: unix.MOUNT_ATTR_NODEV},
	{word: "nodiratime", set: unix.MOUNT_ATTR_NODIRATIME},
	{word: "noexec", set: unix.MOUNT_ATTR_NOEXEC},
	{word: "noiversion", superClear: unix.MS_I_VERSION},
	{word: "nolazytime", superClear: unix.MS_LAZYTIME},
	{word: "nomand", superClear: unix.MS_MANDLOCK},
	{word: "norelatime", set: unix.MOUNT_ATTR_RELATIME, clear: unix.MOUNT_ATTR__ATIME},
	{word: "nostrictatime", set: unix.MOUNT_ATTR_RELATIME, clear: unix.MOUNT_ATTR__ATIME},
	{word: "nosuid", set: unix.MOUNT_ATTR_NOSUID},
	{word: "nosymfollow", set: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{word: "private", propagate: unix.MS_PRIVATE},
	{word: "ratime", set: unix.MOUNT_ATTR_RELATIME, clear: unix.MOUNT_ATTR__ATIME, recursive: true},
	{word: "rbind", note: func(m *Mount) { m.Bind, m.Recursive = true, true }},
	{word: "rdev", clear: unix.MOUNT_ATTR_NODEV, recursive: true},
	{word: "rdiratime", clear: unix.MOUNT_ATTR_NODIRATIME, recursive: true},
	{word: "relatime", set: unix.MOUNT_ATTR_RELATIME, clear: unix.MOUNT_ATTR__ATIME},
	{word: "remount", note: func(m *Mount) { m.Remount = true }},
	{word: "rexec", clear: unix.MOUNT_ATTR_NOEXEC, recursive: true},
	{word: "ridmap", note: func(m *Mount) { m.IDMap, m.RecursiveIDMap = true, true }},
	{word: "rnoatime", set: unix.MOUNT_ATTR_NOATIME, clear: unix.MOUNT_ATTR__ATIME, recursive: true},
	{word: "rnodev", set: unix.MOUNT_ATTR_NODEV, recursive: true},
	{word: "rnodiratime", set: unix.MOUNT_ATTR_NODIRATIME, recursive: true},
	{word: "rnoexec", set: unix.MOUNT_ATTR_NOEXEC, recursive: true},
	{word: "rnorelatime", set: unix.MOUNT_ATTR_RELATIME, clear: unix.MOUNT_ATTR__ATIME, recursive: true},
	{word: "rnostrictatime", set: unix.MOUNT_ATTR_RELATIME, clear: unix.MOUNT_ATTR__ATIME, recursive: true},
	{word: "rnosuid", set: unix.MOUNT_ATTR_NOSUID, recursive: true},
	{word: "rnosymfollow", set: unix.MOUNT_ATTR_NOSYMFOLLOW, recursive: true},
	{word: "ro", set: unix.MOUNT_ATTR_RDONLY, super: unix.MS_RDONLY},
	{word: "rprivate", propagate: unix.MS_PRIVATE | unix.MS_REC},
	{word: "rrelatime", set: unix.MOUNT_ATTR_RELATIME, clear: unix.MOUNT_ATTR__ATIME, recursive: true},
	{word: "rro", set: unix.MOUNT_ATTR_RDONLY, recursive: true},
	{word: "rrw", clear: unix.MOUNT_ATTR_RDONLY, recursive: true},
	{word: "rshared", propagate: unix.MS_SHARED | unix.MS_REC},
	{word: "rslave", propagate: unix.MS_SLAVE | unix.MS_REC},
	{word: "rstrictatime", set: unix.MOUNT_ATTR_STRICTATIME, clear: unix.MOUNT_ATTR__ATIME, recursive: true},
	{word: "rsuid", clear: unix.MOUNT_ATTR_NOSUID, recursive: true},
	{word: "rsymfollow", clear: unix.MOUNT_ATTR_NOSYMFOLLOW, recursive: true},
	{word: "runbindable", propagate: unix.MS_UNBINDABLE | unix.MS_REC},
	{word: "rw", clear: unix.MOUNT_ATTR_RDONLY, superClear: unix.MS_RDONLY},
	{word: "shared", propagate: unix.MS_SHARED},
	{word: "silent", super: unix.MS_SILENT},
	{word: "slave", propagate: unix.MS_SLAVE},
	{word: "strictatime", set: unix.MOUNT_ATTR_STRICTATIME, clear: unix.MOUNT_ATTR__ATIME},
	{word: "suid", clear: unix.MOUNT_ATTR_NOSUID},
	{word: "symfollow", clear: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{word: "sync", super: unix.MS_SYNCHRONOUS},
	{word: "tmpcopyup", note: func(m *Mount) { m.TmpCopyUp = true }},
	{word: "unbindable", propagate: unix.MS_UNBINDABLE},
}

// MountOptions are the option words that hull gives a meaning, sorted: every
// other one is for the file system.
func MountOptions() []string {
	words := make([]string, len(mountOptions))
	for i, o := range mountOptions {
		words[i] = o.word
	}
	return words
}

func lookupMountOption(word string) (mountOption, bool) {
	i, ok := slices.BinarySearchFunc(mountOptions, word, func(o mountOption, w string) int {
		return strings.Compare(o.word, w)
	})
	if !ok {
		return mountOption{}, false
	}
	return mountOptions[i], true
}

// apply adds the option to m. The last of two words that contradict each other wins.
func (o mountOption) apply(m *Mount) {
	attr := &m.Attr
	if o.recursive {
		attr = &m.RecursiveAttr
	}
	attr.Set = attr.Set&^o.clear | o.set
	attr.Clear = attr.Clear&^o.set | o.clear
	m.Super = m.Super&^o.superClear | o.super
	m.SuperClear = m.SuperClear&^o.super | o.superClear
	if o.propagate != 0 {
		m.Propagation = append(m.Propagation, o.propagate)
	}
	if o.note != nil {
		o.note(m)
	}
}
