package libcontainer

import (
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// stepStreams lets an ordinary user of the container open its standard
// streams again, as /dev/stdout: pipes and terminals become the user's. A file
// or a device of the host stays whose it is, /dev/null above all.
func stepStreams(b *build) error {
	uid := b.process.User.UID
	if uid == 0 {
		return nil
	}
	const keep = ^uint32(0) // the group
	b.At("process.user", "")
	for fd := range 3 {
		change, next := b.NewLabel(), b.NewLabel()
		b.Check(plan.N(fd), 0, unix.S_IFIFO, 0, "a pipe").On(plan.Next, unix.ESTALE).Then(change)
		b.Check(plan.N(fd), unix.DEVPTS_SUPER_MAGIC, unix.S_IFCHR, 0, "a terminal").On(next, unix.ESTALE)
		b.Mark(change)
		// Refused where the user namespace does not own the stream.
		b.Fchownat(plan.N(fd), "", uid, keep, unix.AT_EMPTY_PATH).On(next, unix.EPERM, unix.EINVAL, unix.EROFS)
		b.Mark(next)
	}
	return nil
}

// stepNull opens the container's /dev/null in the place of the host's: a process that
// holds a file of the host can be neither saved by criu(8) nor confined by path.
func stepNull(b *build) error {
	if !b.ns.new(unix.CLONE_NEWNS) || b.process.Terminal {
		return nil
	}
	var fds []int
	for fd, f := range b.opt.Stdio {
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3) {
			fds = append(fds, fd)
		}
	}
	if len(fds) == 0 {
		return nil
	}
	b.At("", "/dev/null")
	null, other, none := b.Reg(), b.NewLabel(), b.NewLabel()
	b.Openat(plan.Cwd, "/dev/null", unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0).To(null).On(none, plan.AnyErrno) // it has none: the host's stays
	b.Check(null, 0, unix.S_IFCHR, unix.Mkdev(1, 3), "the null device").On(other, unix.ESTALE)
	for _, fd := range fds {
		b.Syscall("take the container's /dev/null", unix.SYS_DUP3, null, plan.N(fd), plan.N(0))
	}
	b.Mark(other)
	b.Close(null)
	b.Mark(none)
	return nil
}
