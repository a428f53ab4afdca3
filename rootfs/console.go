package rootfs

import (
	"encoding/binary"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// Console is a new pseudoterminal of the container, pty(7), both ends as
// registers of the stage. The caller makes the slave the controlling terminal
// and the standard streams, sends the master to the parent, and closes both.
type Console struct{ Master, Slave plan.Reg }

// Console makes a pseudoterminal in the container's devpts and attaches its
// slave at /dev/console. It comes after Mounts and Devices.
func (v *View) Console(process *specs.Process) Console {
	v.p.At("process.terminal", "/dev/console")
	c := openPty(v.p, v.Root, process)
	if v.mntns {
		v.attachConsole(c.Slave)
	}
	return c
}

// attachConsole attaches the slave at /dev/console: by descriptor on both
// ends, so that the image can neither choose what is attached (CVE-2025-52565)
// nor where (CVE-2026-88264).
func (v *View) attachConsole(slave plan.Reg) {
	p := v.p
	dev := p.MkdirInRoot(v.Root, "/dev", 0o755).Into()
	p.Mknodat(dev, "console", unix.S_IFREG|0o600, 0).On(plan.Next, unix.EEXIST)
	p.Openat(dev, "console", unix.O_PATH, 0).To(v.dst)
	p.Close(dev)
	plain := p.NewLabel()
	p.Check(v.dst, 0, unix.S_IFREG, 0, "a file").On(plan.Next, unix.ESTALE).Then(plain)
	p.Check(v.dst, 0, unix.S_IFCHR, 0, "a file or a device")
	p.Mark(plain)
	v.clone(slave, "", false, v.src)
	v.move(v.src)
	p.Close(v.src)
}

// ExecConsole is Console for a process that has joined a running container,
// and whose root is the container's. Its /dev/console stays what it is.
func ExecConsole(p *plan.Plan, process *specs.Process) Console {
	p.At("process.terminal", "/dev/pts")
	root := p.OpenTree(plan.Cwd, "/", 0).Into()
	c := openPty(p, root, process)
	p.Close(root)
	return c
}

// openPty opens a pseudoterminal of the devpts at /dev/pts below root, of the
// size and for the user of process.
func openPty(p *plan.Plan, root plan.Reg, process *specs.Process) Console {
	// A directory of a devpts holds nothing but ptmx and slaves, whoever made the image.
	pts := p.OpenInRoot(root, "/dev/pts", unix.O_PATH|unix.O_DIRECTORY).
		Because(unix.ENOENT, "a terminal needs a mount of type devpts at /dev/pts").Into()
	p.Check(pts, unix.DEVPTS_SUPER_MAGIC, 0, 0, "a devpts").
		Because(unix.ESTALE, "a terminal needs a mount of type devpts at /dev/pts")
	master := p.Openat(pts, "ptmx", unix.O_RDWR|unix.O_NOCTTY, 0).Into()
	p.Check(master, unix.DEVPTS_SUPER_MAGIC, unix.S_IFCHR, unix.Mkdev(5, 2), "a pseudoterminal multiplexer")
	p.Close(pts)
	p.Syscall("unlock the terminal", unix.SYS_IOCTL, master, plan.N(unix.TIOCSPTLCK), plan.Bytes(plan.Uint32s([]uint32{0})))
	slave := p.Syscall("open the terminal", unix.SYS_IOCTL, master, plan.N(unix.TIOCGPTPEER), plan.N(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)).Into()
	if size := process.ConsoleSize; size != nil {
		var b []byte
		for _, n := range []uint{size.Height, size.Width, 0, 0} { // struct winsize, ioctl_tty(2)
			b = binary.NativeEndian.AppendUint16(b, uint16(min(n, 0xffff)))
		}
		p.Syscall("set the terminal's size", unix.SYS_IOCTL, slave, plan.N(unix.TIOCSWINSZ), plan.Bytes(b))
	}
	if uid := process.User.UID; uid != 0 {
		const keep = ^uint32(0) // the group, tty
		p.Fchownat(slave, "", uid, keep, unix.AT_EMPTY_PATH)
	}
	return Console{master, slave}
}
