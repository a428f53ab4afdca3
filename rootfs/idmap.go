package rootfs

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/sys"
)

// mapIDs gives the detached mount f the id mappings of m, or those of the
// container when it has none. mount_setattr(2) MOUNT_ATTR_IDMAP.
func (v *View) mapIDs(m *mount, f *os.File, pid int) error {
	var userns *os.File
	var err error
	if len(m.spec.UIDMappings) > 0 {
		userns, err = newUserns(m.spec.UIDMappings, m.spec.GIDMappings)
	} else {
		userns, err = sys.OpenProc(fmt.Sprintf("%d/ns/user", pid), unix.O_RDONLY, true)
	}
	if err != nil {
		return err
	}
	defer userns.Close()
	flags := uint(unix.AT_EMPTY_PATH)
	if m.RecursiveIDMap {
		flags |= unix.AT_RECURSIVE
	}
	err = unix.MountSetattr(int(f.Fd()), "", flags, &unix.MountAttr{
		Attr_set:  unix.MOUNT_ATTR_IDMAP,
		Userns_fd: uint64(userns.Fd()),
	})
	switch {
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("its file system does not support id mappings: %w", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("ids cannot be mapped: hull has no rights over the file system, or it is mapped already: %w", err)
	}
	return err
}

// newUserns makes a user namespace with the mappings. It belongs to a process
// that stops before it executes anything (ptrace(2) PTRACE_TRACEME) and is then killed.
func newUserns(uids, gids []specs.LinuxIDMapping) (*os.File, error) {
	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"hull"}, &syscall.ProcAttr{
		Env: []string{},
		Sys: &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER,
			UidMappings: sysMappings(uids),
			GidMappings: sysMappings(gids),
			Ptrace:      true,
			Pdeathsig:   syscall.SIGKILL,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot make a user namespace for the mappings: %w", err)
	}
	userns, err := sys.OpenProc(fmt.Sprintf("%d/ns/user", pid), unix.O_RDONLY, true)
	_ = unix.Kill(pid, unix.SIGKILL)
	for {
		var status unix.WaitStatus
		_, wait := unix.Wait4(pid, &status, 0, nil)
		if (wait == nil && (status.Exited() || status.Signaled())) || (wait != nil && !errors.Is(wait, unix.EINTR)) {
			return userns, err
		}
	}
}

func sysMappings(list []specs.LinuxIDMapping) []syscall.SysProcIDMap {
	out := make([]syscall.SysProcIDMap, len(list))
	for i, m := range list {
		out[i] = syscall.SysProcIDMap{ContainerID: int(m.ContainerID), HostID: int(m.HostID), Size: int(m.Size)}
	}
	return out
}
