package libcontainer

import (
	"errors"
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/fail"
	"hull/internal/sys"
)

// Delete removes what is left of a stopped container; with force it is killed
// first. It can be repeated: whatever a killed command left is found through
// the record, and the directory, which holds the record, goes last.
func (c *Container) Delete(force bool) error {
	status, err := c.lockStatus()
	if err != nil {
		return err
	}
	defer c.unlock()
	if !force && status != specs.StateStopped {
		return fmt.Errorf("cannot delete container %s that is not stopped: %s", c.ID, status)
	}
	if err := c.destroy(); err != nil {
		return fmt.Errorf("container %s: %w", c.ID, err)
	}
	return nil
}

// destroy undoes create, and runs the poststop hooks: runtime.md, steps 12 and 13.
func (c *Container) destroy() error {
	return through([]move{
		{"delete.kill", c.killInit, nil},
		{"delete.cgroup", c.deleteCgroup, nil},
		{"delete.rdt", c.deleteRdt, nil},
		{"delete.poststop", c.afterStop, nil},
		{"delete.directory", c.forget, nil},
	})
}

// forget removes the directory. The record goes after the configuration: one
// that is missing beside a configuration is lost, and salvaged.
func (c *Container) forget() error {
	_ = os.Remove(c.path(configFile))
	if err := fail.Point("delete.record"); err != nil {
		return err
	}
	return os.RemoveAll(c.dir())
}

// huskInterval is in milliseconds: no descriptor tells that a process will be what husk sees.
const huskInterval = 10

// killInit ends the container's process, with all of its cgroup, and waits for
// that. When it has ended before, deleteCgroup kills what else there is.
func (c *Container) killInit() error {
	pidfd, err := c.rec.Init.open(c.rec.BootID)
	if errors.Is(err, ErrNotRunning) {
		return nil
	}
	if err != nil {
		return err
	}
	defer pidfd.Close()
	if err := c.killAll(); err != nil && !errors.Is(err, ErrNotRunning) {
		return err
	}
	for {
		if dead, err := sys.WaitDead(pidfd, huskInterval); dead || err != nil {
			return err
		}
		if alive, err := c.alive(); !alive {
			return err
		}
	}
}

// afterStop runs the poststop hooks: as config.md says, an error of theirs is
// reported, and the rest of delete goes on.
func (c *Container) afterStop() error {
	if c.rec.PlainStop {
		return nil
	}
	s, err := c.spec()
	if err != nil {
		return nil //nolint:nilerr // killed before the configuration was there: no hook has to know
	}
	hooks := hooksOf(s, "poststop")
	if len(hooks) > 0 {
		// They may take long. If we are killed meanwhile, the cgroup's name may be
		// another container's by the time delete is repeated. A full disk is no reason to stop here.
		c.rec.Cgroup.Paths = nil
		_ = c.save()
	}
	for i, h := range hooks {
		if err := c.runHook("poststop", s, &h, specs.StateStopped); err != nil {
			c.warn(fmt.Errorf("hooks.poststop[%d] (%s): %w", i, h.Path, err))
		}
	}
	return nil
}
