package rootfs

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
	"hull/internal/plan"
)

// held is a mount of the kernel's files that is kept open until its masks are
// on it. Whoever writes to the directory that the root is in, through a volume
// that is shared, can rename the directory where it is mounted: what the path
// leads to then is not what has to be hidden.
type held struct {
	destination string
	mnt         plan.Reg
}

// cover forgets the mounts that m is about to cover: they are not what a path below it means.
func (v *View) cover(m *mount) {
	where := path.Clean("/" + m.Destination)
	rest := v.held[:0]
	for _, h := range v.held {
		if within(h.destination, where) {
			v.p.Close(h.mnt)
		} else {
			rest = append(rest, h)
		}
	}
	v.held = rest
}

// release closes the attached mount mnt, or keeps it open for the masks.
func (v *View) release(m *mount, mnt plan.Reg) {
	where := path.Clean("/" + m.Destination)
	if !m.kernelFiles() || !v.restrictsBelow(where) || fail.Off("masks by descriptor") {
		v.p.Close(mnt)
		return
	}
	v.held = append(v.held, held{where, mnt})
	if mnt == v.src {
		v.src = v.p.Reg()
	}
}

// kernelFiles says whether m shows files of the kernel's, which masks are for.
func (m *mount) kernelFiles() bool {
	return m.spec.Type == "proc" || m.spec.Type == "sysfs" || m.Bind && (m.Destination == "/proc" || m.Destination == "/sys")
}

// restrictsBelow says whether a masked or read-only path lies below dir.
func (v *View) restrictsBelow(dir string) bool {
	for _, list := range [][]string{v.linux().MaskedPaths, v.linux().ReadonlyPaths} {
		for _, file := range list {
			if file = path.Clean("/" + file); file != dir && within(file, dir) {
				return true
			}
		}
	}
	return false
}

// open opens a path of the container that is to be restricted: below the
// mount that holds it where that is open, else below the root.
func (v *View) open(file string) *plan.Op {
	base, rest := v.Root, file
	for _, h := range v.held { // a later one is further inside, or would have covered it
		if clean := path.Clean("/" + file); clean != h.destination && within(clean, h.destination) {
			base, rest = h.mnt, strings.TrimPrefix(clean, h.destination)
		}
	}
	return v.p.OpenInRoot(base, rest, unix.O_PATH)
}

// within says whether a cleaned path is dir or below it.
func within(file, dir string) bool {
	return file == dir || dir == "/" || strings.HasPrefix(file, dir+"/")
}
