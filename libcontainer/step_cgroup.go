package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
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
	err := b.cg.Place(call.Pid, b.firstLimits())
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
	if err := b.cg.Set(b.firstLimits()); err != nil {
		return err
	}
	return delegateCgroup(b)
}

// needsToFork says that the stage has to fork once for the namespaces, and that
// linux.resources.pids does not let it.
func (b *build) needsToFork() bool {
	r := resources(b.spec)
	return b.verb == creating && b.ns.fork && r != nil && r.Pids != nil && r.Pids.Limit != nil && *r.Pids.Limit >= 0 && *r.Pids.Limit < 2
}

// firstLimits are linux.resources, but for a pids limit that comes with lastLimit.
func (b *build) firstLimits() *specs.LinuxResources {
	r := resources(b.spec)
	if !b.needsToFork() {
		return r
	}
	first := *r
	first.Pids = &specs.LinuxPids{Limit: new(int64(2))}
	return &first
}

// lastLimit puts the pids limit in force that firstLimits has left out.
func (b *build) lastLimit() error {
	if !b.needsToFork() {
		return nil
	}
	return b.cg.Set(&specs.LinuxResources{Pids: resources(b.spec).Pids})
}
