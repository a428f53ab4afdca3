package rootfs

func (v *View) moveRoot() {}
