package rootfs

import "hull/internal/plan"

func (v *View) copyUp(mnt plan.Reg) {}
