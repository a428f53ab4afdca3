package libcontainer

import (
	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/rootfs"
)

// stepRootfs makes the mounts and devices of the container. rootfs says how.
func stepRootfs(b *build) error {
	if err := b.checkMountLabel(); err != nil {
		return err
	}
	v, err := rootfs.New(b.Plan, rootfs.Options{
		Spec: b.spec, Bundle: b.c.rec.Bundle, Root: b.rootfs, NoPivot: b.opt.NoPivot,
		Userns: b.ns.has(unix.CLONE_NEWUSER), Rootless: b.opt.Rootless, Cgroups: b.hierarchies,
		Pending: b.c.path(notifyDir),
	})
	if err != nil {
		return err
	}
	b.view = v
	v.Prepare()
	v.Mounts()
	v.Devices()
	return nil
}

// stepMasks hides and protects what the configuration says.
func stepMasks(b *build) error {
	b.view.Restrict()
	return nil
}

// stepPivot makes the container's root the root.
func stepPivot(b *build) error {
	b.view.Pivot()
	return nil
}

// stepConsole opens the terminal of process.terminal, which becomes the
// session's controlling terminal and the standard streams. pty(7)
func stepConsole(b *build) error {
	if !b.process.Terminal {
		return nil
	}
	var c rootfs.Console
	if b.verb == creating {
		c = b.view.Console(b.process)
	} else {
		c = rootfs.ExecConsole(b.Plan, b.process)
	}
	b.master = c.Master
	b.At("process.terminal", "")
	b.Syscall("make it the controlling terminal", unix.SYS_IOCTL, c.Slave, plan.N(unix.TIOCSCTTY), plan.N(0))
	for fd := range 3 {
		b.Syscall("make it a standard stream", unix.SYS_DUP3, c.Slave, plan.N(fd), plan.N(0))
	}
	b.Close(c.Slave)
	return nil
}
