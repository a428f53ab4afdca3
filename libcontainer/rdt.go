package libcontainer

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/rdt"
)

func intelRdt(s *specs.Spec) *specs.LinuxIntelRdt {
	if s.Linux == nil {
		return nil
	}
	return s.Linux.IntelRdt
}

// nameRdt records the groups of linux.intelRdt; nothing is made yet. Without the
// field resctrl is not even looked for.
func (c *Container) nameRdt(s *specs.Spec) (err error) {
	if r := intelRdt(s); r != nil {
		c.rec.RDT, err = rdt.New(c.ID, r)
	}
	return err
}

func (c *Container) makeRdt(s *specs.Spec) error {
	if c.rec.RDT == nil {
		return nil
	}
	return c.rec.RDT.Create(intelRdt(s))
}

func (c *Container) undoRdt() {
	if c.rec.RDT == nil {
		return
	}
	if err := c.rec.RDT.Undo(); err != nil {
		c.warn(err)
	}
}

// joinRdt puts a process into the groups: create's, and exec's, which are the container's too.
func (c *Container) joinRdt(pid int) error {
	if c.rec.RDT == nil {
		return nil
	}
	return c.rec.RDT.Add(pid)
}

func (c *Container) deleteRdt() error {
	if c.rec.RDT == nil {
		return nil
	}
	if err := c.rec.RDT.Delete(); err != nil {
		return fmt.Errorf("container %s: %w", c.ID, err)
	}
	return nil
}

// UpdateSchemata changes what a running container has of the cache and of memory
// bandwidth: l3CacheSchema and memBwSchema of linux.intelRdt. What is empty stays.
func (c *Container) UpdateSchemata(cache, memory string) error {
	if err := c.lock(); err != nil {
		return err
	}
	defer c.unlock()
	status, err := c.Status()
	switch {
	case err != nil:
		return err
	case status == specs.StateStopped:
		return ErrNotRunning
	case c.rec.RDT == nil:
		return errors.New("the container has no class of service: its configuration has no linux.intelRdt")
	}
	list := rdt.Schemas("--l3-cache-schema", cache, "--mem-bw-schema", memory)
	return through([]move{{"update.schemata", func() error { return c.rec.RDT.Write(list) }, nil}})
}
