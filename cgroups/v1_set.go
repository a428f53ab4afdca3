package cgroups

import (
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func (c *v1) Set(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	for _, ctl := range controllers {
		if err := c.setOne(ctl, r); err != nil {
			return err
		}
	}
	list, err := unified(r)
	if err != nil || len(list) == 0 {
		return err
	}
	if c.unified == nil {
		return unsupported(list[0].field, list[0].value, "this host has cgroup v1")
	}
	return c.unified.setUnified(list)
}

// setOne sets one controller. On a hybrid host it may be in the unified
// hierarchy, where it is enabled when first needed.
func (c *v1) setOne(ctl controller, r *specs.LinuxResources) error {
	d, err := c.dir(ctl.name)
	if err != nil {
		return err
	}
	defer d.close()
	list, err := ctl.v1(r, d)
	if err != nil {
		return err
	}
	if d == absent && len(list) > 0 {
		if c.unified != nil && ctl.v2name != "" && c.unified.offers(ctl.v2name) {
			return c.unified.setOne(ctl, r)
		}
		return list[0].unmounted(ctl.name)
	}
	return apply(d, list)
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
