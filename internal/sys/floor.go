package sys

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// floor are the system calls that hull cannot do without, the youngest of
// Linux 5.6, each with arguments that it refuses with EINVAL before it does
// anything. docs/design.md lists what there is a way around.
var floor = []struct {
	name       string
	nr         uintptr
	args       [5]uintptr
	privileged bool // asks for CAP_SYS_ADMIN before it looks at its arguments
}{
	{"openat2", unix.SYS_OPENAT2, [5]uintptr{none, 0, 0, 0}, false},
	{"open_tree", unix.SYS_OPEN_TREE, [5]uintptr{none, 0, none}, false},
	{"move_mount", unix.SYS_MOVE_MOUNT, [5]uintptr{none, 0, none, 0, none}, true},
	{"fsopen", unix.SYS_FSOPEN, [5]uintptr{0, none}, true},
	{"fsconfig", unix.SYS_FSCONFIG, [5]uintptr{none, none}, false},
	{"fsmount", unix.SYS_FSMOUNT, [5]uintptr{none, none}, true},
	{"fspick", unix.SYS_FSPICK, [5]uintptr{none, 0, none}, true},
	{"pidfd_open", unix.SYS_PIDFD_OPEN, [5]uintptr{0, none}, false},
	{"pidfd_send_signal", unix.SYS_PIDFD_SEND_SIGNAL, [5]uintptr{none, 0, 0, none}, false},
	{"clone with CLONE_PIDFD", unix.SYS_CLONE, [5]uintptr{unix.CLONE_PIDFD | unix.CLONE_THREAD}, false},
}

const none = ^uintptr(0) // as a descriptor, as flags, as a command: none of those

// Missing adds to err the names of the system calls that hull needs and has
// not got, if err is what comes of that: ENOSYS from a kernel that is too old
// and from some seccomp filters, EPERM from others.
func Missing(err error) error {
	if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
		return err
	}
	var names []string
	for _, call := range floor {
		a := call.args
		_, _, errno := unix.Syscall6(call.nr, a[0], a[1], a[2], a[3], a[4], 0)
		if errno == unix.ENOSYS || errno == unix.EPERM && !(call.privileged && !sysAdmin()) {
			names = append(names, call.name)
		}
	}
	if len(names) == 0 {
		return err
	}
	return fmt.Errorf("%w (missing: %s; hull needs Linux 5.6 or later, and no seccomp filter that hides what is in it)",
		err, strings.Join(names, ", "))
}

// sysAdmin says whether we have CAP_SYS_ADMIN. capget(2)
func sysAdmin() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	err := unix.Capget(&header, &data[0])
	return err == nil && data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}
