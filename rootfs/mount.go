package rootfs

import (
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// Mounts makes the configuration's mounts, in its order. Each destination is
// resolved when those before it are in place.
func (v *View) Mounts() {
	v.fetchSources()
	for i := range v.mounts {
		m := &v.mounts[i]
		if !m.Remount {
			v.cover(m)
		}
		switch {
		case m.Remount:
			v.remount(m)
		case m.Bind:
			v.bind(m)
		case v.hostSys(m):
			v.bindSys(m)
		case m.spec.Type == "cgroup":
			v.cgroup(m)
		default:
			v.newFS(m)
		}
	}
}

// bind attaches a copy of the source's mount, with what is mounted below it
// when the mount is recursive.
func (v *View) bind(m *mount) {
	p := v.p
	src := v.src
	if m.fetched != plan.None {
		src = m.fetched
	} else {
		p.At(m.field+".source", m.source)
		v.clone(plan.Cwd, m.source, m.Recursive, src)
	}
	p.At(m.field, m.Destination)
	if m.Destination == "/proc" {
		p.Check(src, unix.PROC_SUPER_MAGIC, unix.S_IFDIR, 0, "a procfs, and nothing else may be mounted on /proc")
		v.openPlain(m.Destination, "proc")
	} else {
		v.destination(m, m.dir)
	}
	v.attach(m, src, m.have)
	v.release(m, src)
}

// clone opens a detached copy of the mount that path, below dir, is on.
func (v *View) clone(dir plan.Arg, path string, recursive bool, into plan.Reg) *plan.Op {
	flags := uint(unix.OPEN_TREE_CLONE)
	if path == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	op := v.p.OpenTree(dir, path, flags).To(into)
	if !recursive && v.o.Userns {
		return op.Because(unix.EINVAL, "cannot be bound without the mounts below it, which a user namespace must not uncover: use rbind")
	}
	return op.Because(unix.EINVAL, "cannot be bound: it is on an unbindable mount")
}

// attach gives the detached mount src its attributes, attaches it at v.dst,
// closes that, and sets its propagation. have are the flags src has now, as MS_*.
func (v *View) attach(m *mount, src plan.Reg, have uintptr) {
	if v.setattr {
		v.change(src, m.Attr, false)
		v.change(src, m.RecursiveAttr, m.Recursive)
	}
	v.move(src)
	if want := withAttr(have, m.Attr); !v.setattr && want != have {
		v.remountBind(src, want)
	}
	v.propagate(src, m.Propagation)
}

// move attaches the detached mount src at v.dst, and closes that.
func (v *View) move(src plan.Reg) {
	v.p.MoveMount(src, v.dst)
	v.p.Close(v.dst)
}

// remount changes the mount that is at the destination already, and with no
// bind in the options its superblock, as mount(2) with MS_REMOUNT does.
func (v *View) remount(m *mount) {
	p := v.p
	p.At(m.field, m.Destination)
	p.OpenInRoot(v.Root, m.Destination, unix.O_PATH).To(v.dst)
	const notMount = "nothing is mounted there that could be remounted"
	if keys := m.SuperWords(); !m.Bind && len(keys)+len(m.Data) > 0 {
		p.Syscall("pick the file system", unix.SYS_FSPICK, v.dst, plan.Str(""), plan.N(unix.FSPICK_CLOEXEC|unix.FSPICK_EMPTY_PATH)).
			Because(unix.EINVAL, notMount).To(v.fs)
		for _, key := range append(keys, m.Data...) {
			v.set(key)
		}
		v.explained(p.Syscall("reconfigure the file system", unix.SYS_FSCONFIG, v.fs,
			plan.N(unix.FSCONFIG_CMD_RECONFIGURE), plan.N(0), plan.N(0), plan.N(0)))
		p.Close(v.fs)
	}
	if v.setattr {
		v.change(v.dst, m.Attr, false)
		v.change(v.dst, m.RecursiveAttr, true)
	} else if !m.Attr.IsZero() {
		v.remountBind(v.dst, withAttr(v.flagsAt(m.Destination), m.Attr))
	}
	v.propagate(v.dst, m.Propagation)
	p.Close(v.dst)
}
