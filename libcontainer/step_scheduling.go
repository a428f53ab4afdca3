package libcontainer

import (
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

var _ = unix.SYS_SCHED_SETATTR
var _ plan.Reg
