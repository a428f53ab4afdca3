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
	cg := c.cgroup()
	return through([]move{{"pause.freeze", cg.Freeze, func() { _ = cg.Thaw() }}})
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
	return through([]move{{"resume.thaw", c.cgroup().Thaw, nil}})
}

// Stats are the figures of the container's cgroup.
func (c *Container) Stats() (*cgroups.Stats, error) {
	return c.cgroup().Stats()
}
