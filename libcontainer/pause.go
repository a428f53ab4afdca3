package libcontainer

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/cgroups"
)

// Pause freezes the container's processes.
func (c *Container) Pause() error {
	status, err := c.Status()
	if err != nil {
		return err
	}
	if status != specs.StateRunning && status != specs.StateCreated {
		return fmt.Errorf("container not running or created: %s", status)
	}
	cg, err := c.needCgroup("pause")
	if err != nil {
		return err
	}
	return cg.Freeze()
}

// Resume thaws them.
func (c *Container) Resume() error {
	status, err := c.Status()
	if err != nil {
		return err
	}
	if status != StatusPaused {
		return fmt.Errorf("%w: %s", ErrNotPaused, status)
	}
	cg, err := c.needCgroup("resume")
	if err != nil {
		return err
	}
	return cg.Thaw()
}

// Update changes the container's limits; what r leaves out stays.
func (c *Container) Update(r *specs.LinuxResources) error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	status, err := c.Status()
	if err != nil {
		return err
	}
	if status == specs.StateStopped {
		return ErrNotRunning
	}
	cg, err := c.needCgroup("update")
	if err != nil {
		return err
	}
	return cg.Set(r)
}

// Stats are the figures of the container's cgroup.
func (c *Container) Stats() (*cgroups.Stats, error) {
	cg, err := c.needCgroup("stats")
	if err != nil {
		return nil, err
	}
	return cg.Stats()
}

func (c *Container) needCgroup(verb string) (cgroups.Cgroup, error) {
	cg := c.cgroup()
	if cg == nil {
		return nil, fmt.Errorf("cannot %s: the container has no cgroup", verb)
	}
	return cg, nil
}
