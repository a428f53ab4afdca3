package libcontainer

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// config-linux.md, IntelRdt: without the field no resctrl may be touched. Without a group nothing is.
func TestWithoutIntelRdtThereIsNoGroup(t *testing.T) {
	for _, s := range []*specs.Spec{{}, {Linux: &specs.Linux{}}} {
		c := &Container{ID: "box", rec: &record{}}
		if err := c.nameRdt(s); err != nil || c.rec.RDT != nil {
			t.Errorf("the group is %v, %v", c.rec.RDT, err)
		}
		if err := c.makeRdt(s); err != nil {
			t.Error(err)
		}
		if err := c.joinRdt(1); err != nil {
			t.Error(err)
		}
		if err := c.deleteRdt(); err != nil {
			t.Error(err)
		}
	}
}
