package libcontainer

import (
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
	c.keep(c.rec.RDT.Undo())
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
	return c.rec.RDT.Delete()
}
