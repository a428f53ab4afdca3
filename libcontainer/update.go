package libcontainer

import (
	"errors"
	"reflect"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/cgroups"
	"hull/internal/rdt"
	"hull/specconv"
)

// Update changes the container's limits; what r leaves out stays. So do, unless they are empty,
// what it has of the cache and of memory bandwidth: l3CacheSchema and memBwSchema of
// linux.intelRdt. When something cannot be changed, nothing is.
func (c *Container) Update(r *specs.LinuxResources, cache, memory string) error {
	host, err := cgroups.Detect()
	if err != nil {
		return err
	}
	if err := specconv.CheckResources(r, specconv.Host{CgroupV2: host.V2}); err != nil {
		return err
	}
	status, err := c.lockStatus()
	if err != nil {
		return err
	}
	defer c.unlock()
	if status == specs.StateStopped {
		return ErrNotRunning
	}
	schemata, err := c.updateSchemata(rdt.Schemas("--l3-cache-schema", cache, "--mem-bw-schema", memory))
	if err != nil {
		return err
	}
	devices, err := c.updateDevices(r.Devices)
	if err != nil {
		return err
	}
	return through([]move{schemata, devices, {"update.set", func() error { return c.cgroup().Update(r) }, nil}})
}

// nothing is what there is to do of a move where it does not apply.
func nothing() error { return nil }

func (c *Container) updateSchemata(list []rdt.Line) (move, error) {
	if len(list) == 0 {
		return move{"update.schemata", nothing, nil}, nil
	}
	if c.rec.RDT == nil {
		return move{}, errors.New("the container has no class of service: its configuration has no linux.intelRdt")
	}
	before, err := c.rec.RDT.InForce(list)
	return move{"update.schemata", func() error { return c.rec.RDT.Write(list) }, func() {
		if err := c.rec.RDT.Write(before); err != nil {
			c.warn(err)
		}
	}}, err
}

// updateDevices replaces the device rules, in one step on v2. The rules that are in force are left
// alone: engines send them with every update, and others may have added to them (NVIDIA's hook does).
func (c *Container) updateDevices(rules []specs.LinuxDeviceCgroup) (move, error) {
	if len(rules) == 0 {
		return move{"update.devices", nothing, nil}, nil
	}
	before := c.rec.Devices
	if before == nil {
		s, err := c.spec()
		if err != nil {
			return move{}, err
		}
		before = deviceRules(s)
	}
	if reflect.DeepEqual(before, rules) {
		return move{"update.devices", nothing, nil}, nil
	}
	replace := func(rules []specs.LinuxDeviceCgroup) error {
		if err := limitDevices(c.cgroup(), rules); err != nil {
			return err
		}
		c.rec.Devices = rules
		return c.save()
	}
	return move{"update.devices", func() error { return replace(rules) }, func() {
		if err := replace(before); err != nil {
			c.warn(err)
		}
	}}, nil
}
