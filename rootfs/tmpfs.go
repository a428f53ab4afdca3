package rootfs

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// lookForMode opens the directory that a tmpfs without a mode will cover as
// v.was, if there is one.
func (v *View) lookForMode(m *mount) {
	v.p.OpenInRoot(v.Root, m.Destination, unix.O_PATH|unix.O_DIRECTORY).To(v.was).On(plan.Next, unix.ENOENT)
}

// keepMode gives the tmpfs to be made the mode of the directory it covers: an
// image's /tmp stays 1777 and its /root 0700. Only the parent can turn one
// into the other; it sets the option on the very context of the stage.
func (v *View) keepMode() {
	p := v.p
	missing := p.NewLabel()
	p.Syscall("look whether it was there", unix.SYS_FCNTL, v.was, plan.N(unix.F_GETFD)).On(missing, unix.EBADF)
	v.ask("keep the mode", []plan.Reg{v.was, v.fs}, nil, func(c *plan.Call) error {
		if len(c.Files) != 2 {
			return errors.New("the stage sent no descriptors")
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(c.Files[0].Fd()), &st); err != nil {
			return err
		}
		mode := strconv.FormatUint(uint64(st.Mode&0o7777), 8)
		return unix.FsconfigSetString(int(c.Files[1].Fd()), "mode", mode)
	})
	p.Close(v.was)
	p.Mark(missing)
}
