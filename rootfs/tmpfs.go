package rootfs

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// openCovered opens the directory that a tmpfs will cover as v.covered, if
// there is one already: its mode and perhaps its contents are wanted.
func (v *View) openCovered(m *mount) {
	v.p.OpenInRoot(v.Root, m.Destination, unix.O_PATH).To(v.covered).
		On(plan.Next, unix.ENOENT)
}

// ifCovers runs what emit appends only if openCovered found a directory.
func (v *View) ifCovers(emit func()) {
	missing := v.p.NewLabel()
	v.p.Syscall("look whether it was there", unix.SYS_FCNTL, v.covered, plan.N(unix.F_GETFD)).On(missing, unix.EBADF)
	emit()
	v.p.Mark(missing)
}

// keepMode gives the tmpfs to be made the mode of the directory it covers: an
// image's /tmp stays 1777 and its /root 0700. Only the parent can turn one
// into the other; it sets the option on the very context of the stage.
func (v *View) keepMode() {
	v.ifCovers(func() {
		v.ask("keep the mode", []plan.Reg{v.covered, v.fs}, nil, func(c *plan.Call) error {
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
	})
}
