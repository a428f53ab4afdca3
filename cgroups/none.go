package cgroups

import (
	"fmt"
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// none is the absence of a cgroup, and why there is none.
type none struct {
	why      error
	rootless bool
}

// Disabled is the cgroup of a container that is to have none.
func Disabled() Cgroup { return &none{why: ErrNone, rootless: true} }

func (n *none) Paths() map[string]string               { return map[string]string{} }
func (n *none) Check() error                           { return nil }
func (n *none) Create() error                          { return nil }
func (n *none) Direct() bool                           { return true }
func (n *none) Place(int, *specs.LinuxResources) error { return nil }
func (n *none) Dir() (*os.File, error)                 { return nil, nil }
func (n *none) JoinPaths(bool) []string                { return nil }
func (n *none) Delegate(int) error                     { return nil }
func (n *none) Freeze() error                          { return ErrNone }
func (n *none) Thaw() error                            { return ErrNone }
func (n *none) Frozen() (bool, error)                  { return false, nil }
func (n *none) Pids() ([]int, error)                   { return nil, ErrNone }
func (n *none) Kill() error                            { return ErrNone }
func (n *none) Stats() (*Stats, error)                 { return nil, ErrNone }
func (n *none) OOMKills() (uint64, error)              { return 0, ErrNone }
func (n *none) WatchOOM() (*OOMWatch, error)           { return nil, ErrNone }
func (n *none) Of(int) (Cgroup, error)                 { return n, nil }
func (n *none) Below(map[string]string) Cgroup         { return n }
func (n *none) Delete() error                          { return nil }

// Update refuses any limit, as Set does.
func (n *none) Update(r *specs.LinuxResources) error { return n.Set(r) }

// Set refuses any limit.
func (n *none) Set(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	refuse := func(field string) error { return fmt.Errorf("%s: cannot be limited: %w", field, n.why) }
	for _, c := range controllers {
		list, err := c.v1(r, absent)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return refuse(list[0].field)
		}
	}
	list, err := unified(r)
	if err == nil && len(list) > 0 {
		err = refuse(list[0].field)
	}
	return err
}

// SetDevices refuses to leave devices open to a container that root started.
// A container of an ordinary user can open what that user can, no more.
func (n *none) SetDevices(rules []specs.LinuxDeviceCgroup) error {
	if n.rootless {
		return nil
	}
	if _, err := deviceRules(rules); err != nil {
		return err
	}
	return fmt.Errorf("linux.resources.devices: cannot be enforced: %w", n.why)
}
