package rootfs

import (
	"path"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// destination opens the destination of m as v.dst, made as a directory or as
// a file if it is missing.
func (v *View) destination(m *mount, dir bool) {
	if dir {
		v.p.MkdirInRoot(v.Root, m.Destination, 0o755).To(v.dst)
	} else {
		v.p.MkfileInRoot(v.Root, m.Destination, 0o644).To(v.dst)
	}
	v.guard(m.Destination, dir)
}

// guard refuses v.dst when it is of the wrong kind, or when a link of the
// image has led to a place where nothing may be mounted: what the path alone
// tells, specconv has refused.
func (v *View) guard(destination string, dir bool) {
	p := v.p
	if !specconv.UnderProc(destination) {
		elsewhere := p.NewLabel()
		p.Check(v.dst, unix.PROC_SUPER_MAGIC, 0, 0, "procfs").On(elsewhere, unix.ESTALE)
		v.refuse("leads into /proc, where nothing may be mounted", unix.EPERM)
		p.Mark(elsewhere)
	}
	below := p.NewLabel()
	p.Same(v.dst, v.Root, "the root").On(below, unix.ESTALE)
	v.refuse("leads to the root itself", unix.EPERM)
	p.Mark(below)
	fits, differs := p.NewLabel(), p.NewLabel()
	kind := p.Check(v.dst, 0, unix.S_IFDIR, 0, "a directory")
	if dir {
		kind.On(differs, unix.ESTALE).Then(fits)
	} else {
		kind.On(fits, unix.ESTALE)
	}
	p.Mark(differs)
	v.refuse("a directory cannot be mounted on a file, nor a file on a directory", unix.ENOTDIR)
	p.Mark(fits)
}

// openPlain opens the destination of a procfs or sysfs as v.dst: a directory,
// made if it is missing, with no link on the way to it. Through a link the
// mount would not be where the rest of the setup, and everybody, expects it
// (CVE-2019-19921, CVE-2023-27561, CVE-2025-54867).
func (v *View) openPlain(destination, fstype string) {
	p := v.p
	fact := `filesystem "` + fstype + `" must be mounted on ordinary directory, and no link may lead there`
	open := func() *plan.Op {
		return p.OpenPlain(v.Root, destination, unix.O_PATH|unix.O_DIRECTORY).To(v.dst).
			Because(unix.ELOOP, fact).Because(unix.ENOTDIR, fact)
	}
	missing, there := p.NewLabel(), p.NewLabel()
	open().On(missing, unix.ENOENT).Then(there)
	p.Mark(missing)
	p.MkdirInRoot(v.Root, destination, 0o755).To(v.dst)
	p.Close(v.dst)
	open()
	p.Mark(there)
}

// flagsAt are the flags of the mount that a path of the container is on, as
// MS_*, as far as the configuration tells.
func (v *View) flagsAt(file string) uintptr {
	for dir := path.Clean(file); dir != "/"; dir = path.Dir(dir) {
		for i := len(v.mounts) - 1; i >= 0; i-- {
			if m := &v.mounts[i]; m.Destination == dir && !m.Remount {
				return withAttr(m.have, m.Attr)
			}
		}
	}
	return v.have
}
