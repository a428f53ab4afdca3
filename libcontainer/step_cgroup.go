package libcontainer

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/internal/sys"
)

// stepCgroup joins the cgroups that the stage was not born in: a process with
// one thread that writes 0 to a tasks file does not wait for the lock, and the
// RCU grace period, that moving another process costs.
func stepCgroup(b *build) error {
	b.At("linux.cgroupsPath", "")
	for _, name := range joinPaths(b.cg, b.born) {
		r := b.Inherit(func() (*os.File, error) {
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err != nil {
				return nil, fmt.Errorf("linux.cgroupsPath (%s): %w", name, sys.Bare(err))
			}
			return f, nil
		})
		b.At("linux.cgroupsPath", name)
		b.Syscall("join the cgroup", unix.SYS_WRITE, r, plan.Str("0"), plan.N(1))
		b.Close(r)
	}
	return nil
}
