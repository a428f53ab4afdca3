package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/cgroups"
)

// newCgroup is the cgroup that linux.cgroupsPath names; nothing is made yet.
func newCgroup(host *cgroups.Host, id string, s *specs.Spec, _ *CreateOptions) (cgroups.Cgroup, error) {
	path := ""
	if s.Linux != nil {
		path = s.Linux.CgroupsPath
	}
	return host.New(path, id)
}

// createCgroup makes the cgroup. An ordinary user who asked for no limits does without one.
func (c *Container) createCgroup(b *build) error {
	if b.cg == nil {
		return nil
	}
	err := b.cg.Create()
	if err == nil || !b.opt.Rootless || asksForCgroup(b.spec) || !denied(err) {
		return err
	}
	b.cg = nil
	c.rec.Cgroup.Paths = nil
	return b.compile()
}

func denied(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EROFS) || errors.Is(err, fs.ErrNotExist)
}

// asksForCgroup says whether the configuration cannot be had without a cgroup.
func asksForCgroup(s *specs.Spec) bool {
	if s.Linux == nil {
		return false
	}
	r := s.Linux.Resources
	if s.Linux.CgroupsPath != "" || r == nil {
		return s.Linux.CgroupsPath != ""
	}
	bare := *r
	bare.Devices = nil
	return !reflect.DeepEqual(bare, specs.LinuxResources{})
}

func resources(s *specs.Spec) *specs.LinuxResources {
	if s.Linux == nil {
		return nil
	}
	return s.Linux.Resources
}

// limit sets everything but the device rules, which would keep the stage from making nodes.
func (c *Container) limit(b *build) error {
	if r := resources(b.spec); b.cg != nil && r != nil {
		return b.cg.Set(r)
	}
	return nil
}

// limitDevices sets the device rules: the configuration's, then those for the devices that
// every container has. Nothing else is allowed, whether or not a rule says so.
func (c *Container) limitDevices(b *build) error {
	if b.cg == nil || b.opt.Rootless {
		return nil
	}
	rules := []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}
	if r := resources(b.spec); r != nil {
		rules = append(rules, r.Devices...)
	}
	return b.cg.SetDevices(append(rules, cgroups.DefaultDeviceRules()...))
}

// deleteCgroup removes the cgroup and whatever still runs in it.
func (c *Container) deleteCgroup() error {
	cg := c.cgroup()
	if cg == nil {
		return nil
	}
	if err := cg.Kill(); err != nil {
		return fmt.Errorf("container %s: %w", c.ID, err)
	}
	return cg.Delete()
}
