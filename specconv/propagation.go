package specconv

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The spec has the first four. Engines write the words of mount(8) for the whole tree, too.
var propagations = [...]word{
	{"shared", unix.MS_SHARED},
	{"slave", unix.MS_SLAVE},
	{"private", unix.MS_PRIVATE},
	{"unbindable", unix.MS_UNBINDABLE},
	{"rshared", unix.MS_SHARED | unix.MS_REC},
	{"rslave", unix.MS_SLAVE | unix.MS_REC},
	{"rprivate", unix.MS_PRIVATE | unix.MS_REC},
	{"runbindable", unix.MS_UNBINDABLE | unix.MS_REC},
}

// RootfsPropagation is the mount(2) flags for linux.rootfsPropagation, 0 when that is not set.
func RootfsPropagation(value string) (uintptr, error) {
	k := newChecker()
	flags := k.rootfsPropagation(&specs.Linux{RootfsPropagation: value})
	return flags, k.err()
}

// rootfsPropagation is config-linux.md, Rootfs Mount Propagation.
func (k checker) rootfsPropagation(l *specs.Linux) uintptr {
	if l.RootfsPropagation == "" {
		return 0
	}
	flags, ok := number(propagations[:], l.RootfsPropagation)
	if !ok {
		k.bad("rootfsPropagation", l.RootfsPropagation, "is not a mount propagation").oneOf(names(propagations[:]))
	}
	return uintptr(flags)
}
