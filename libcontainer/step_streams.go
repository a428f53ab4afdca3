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
