package cgroups

import (
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func (c *v1) Set(r *specs.LinuxResources) error    { return set(c, r) }
func (c *v1) Update(r *specs.LinuxResources) error { return update(c, r, alone) }

func (c *v1) batches(r *specs.LinuxResources) (batches, error) {
	var all batches
	for _, ctl := range controllers {
		b, err := c.batch(ctl, r)
		all = append(all, b)
		if err != nil {
			return all, err
		}
	}
	list, err := unified(r)
	if err != nil || len(list) == 0 {
		return all, err
	}
	if c.unified == nil {
		return all, unsupported(list[0].field, list[0].value, "this host has cgroup v1")
	}
	b, err := c.unified.unifiedBatch(list)
	return append(all, b), err
}

// batch are the settings of one controller. On a hybrid host it may be in the
// unified hierarchy, where it is enabled when first needed.
func (c *v1) batch(ctl controller, r *specs.LinuxResources) (batch, error) {
	d, err := c.dir(ctl.name)
	if err != nil {
		return batch{}, err
	}
	list, err := ctl.v1(r, d)
	if err == nil && d == absent && len(list) > 0 {
		if c.unified != nil && ctl.v2name != "" && c.unified.offers(ctl.v2name) {
			return c.unified.batch(ctl, r)
		}
		err = list[0].unmounted(ctl.name)
	}
	return batch{d, list}, err
}

func (c *v1) SetDevices(rules []specs.LinuxDeviceCgroup) error {
	list, err := deviceRules(rules)
	if err != nil {
		return err
	}
	d, err := c.dir("devices")
	switch {
	case err != nil:
		return err
	case d == absent && c.unified != nil:
		return c.unified.SetDevices(rules)
	case d == absent:
		return (&none{why: os.ErrNotExist, rootless: c.rootless}).SetDevices(rules)
	}
	defer d.close()
	return setDevicesV1(d, list)
}
