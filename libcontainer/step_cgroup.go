package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
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
	if !b.direct {
		b.Ask("let systemd put the process into its cgroup", nil, b.place)
		return nil
	}
	for _, name := range b.cg.JoinPaths(b.born) {
		r := b.Inherit(func() (*os.File, error) {
			f, err := sys.Open(name, os.O_WRONLY, 0)
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

// place lets systemd put the stage into the cgroup. For create systemd makes it
// then: limits that could not be set before hold before anything else happens.
func (b *build) place(call *plan.Call) error {
	if b.verb == executing {
		return b.cg.Place(call.Pid, nil)
	}
	err := b.cg.Place(call.Pid, resources(b.spec))
	if errors.Is(err, fs.ErrExist) {
		b.c.rec.Cgroup.Paths = nil // it is somebody else's: what is in it must not be killed
	}
	if err != nil {
		return err
	}
	return b.limit()
}

// limitDirect puts the limits in force while the stage is at work in a cgroup
// that it joins by itself.
func (b *build) limitDirect() error {
	if !b.direct {
		return nil
	}
	return b.limit()
}

// limit puts the limits in force, and gives the cgroup to whom it is to belong.
// The device rules come later, when the stage needs no device any more.
func (b *build) limit() error {
	if err := b.cg.Set(resources(b.spec)); err != nil {
		return err
	}
	return delegateCgroup(b)
}
