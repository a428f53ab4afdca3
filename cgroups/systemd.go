package cgroups

import (
	"errors"
	"fmt"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// systemd is a cgroup that systemd makes: a scope, which systemd.scope(5)
// describes. Files are written as for any cgroup, so that every field of the
// configuration works; what systemd knows too is told to it as well, so that
// it does not undo it when it is reloaded.
type systemd struct {
	Cgroup // its directories
	unit   unit
	paths  map[string]string
	below  string // what follows the scope's directory in paths
	o      Options
	placed bool // just now, with its limits
}

// newSystemd names the scope of the container id.
func (h *Host) newSystemd(path, id string, o Options) (Cgroup, error) {
	u, err := parseUnit(path, id, o.Rootless)
	if err != nil {
		return nil, err
	}
	if _, err := annotated(o.Annotations); err != nil {
		return nil, err
	}
	m, err := dialManager(o.Rootless)
	if err != nil {
		return nil, fmt.Errorf("--systemd-cgroup: %w", err)
	}
	defer m.conn.Close()
	paths := map[string]string{}
	for _, mount := range h.Mounts {
		if h.V2 && !mount.Unified {
			continue
		}
		below, err := mount.below(m.cgroup + u.path())
		if err != nil {
			return nil, fmt.Errorf("linux.cgroupsPath (%q): %w", path, err)
		}
		if mount.Unified {
			paths[""] = mount.Dir + below
		}
		for _, name := range mount.Controllers {
			paths[name] = mount.Dir + below
		}
	}
	if len(paths) == 0 {
		return nil, errors.New("--systemd-cgroup: no cgroup file system is mounted")
	}
	return loadSystemd(paths, u, o), nil
}

func loadSystemd(paths map[string]string, u unit, o Options) *systemd {
	return &systemd{Cgroup: loadFiles(paths, o), unit: u, paths: paths, o: o}
}

// unitOf is the scope that the directories belong to. Its slice no longer matters.
func unitOf(paths map[string]string) unit {
	for _, path := range paths {
		name := filepath.Base(path)
		if len(name) > 1 && name[0] == '_' {
			name = name[1:]
		}
		return unit{name: name}
	}
	return unit{}
}

// Create does nothing: a scope begins with its first process.
func (s *systemd) Create() error { return nil }

// Set tells systemd what it can know and writes the files.
func (s *systemd) Set(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	if s.placed {
		s.placed = false
		return s.Cgroup.Set(r)
	}
	if err := s.tell(r, func(tell func() error) error { return tell() }); err != nil {
		return err
	}
	return s.Cgroup.Set(r)
}

// Update writes the files first, which shows whether the kernel takes the values; and again when
// systemd has rounded some of them.
func (s *systemd) Update(r *specs.LinuxResources) error {
	files, ok := s.Cgroup.(batched)
	if r == nil || !ok {
		return s.Cgroup.Update(r)
	}
	if err := s.tell(r, func(tell func() error) error { return update(files, r, tell) }); err != nil {
		return err
	}
	return s.Cgroup.Set(r)
}

// tell lets systemd know what it can of r, when it is told to.
func (s *systemd) tell(r *specs.LinuxResources, when func(tell func() error) error) error {
	m, err := dialManager(s.o.Rootless)
	if err != nil {
		return err
	}
	defer m.conn.Close()
	properties, err := s.properties(m, r)
	if err != nil {
		return err
	}
	return when(func() error {
		if len(properties) == 0 {
			return nil
		}
		return s.setProperties(m, properties)
	})
}

func (s *systemd) setProperties(m *manager, properties []property) error {
	_, err := m.conn.Call(call("SetUnitProperties", "sba(sv)", s.unit.name, true, wire(properties)))
	if err != nil {
		return fmt.Errorf("linux.resources (unit %s): systemd refuses the properties: %w", s.unit.name, err)
	}
	return nil
}

// SetDevices tells systemd on v1, where it writes the lists itself. On v2 its
// programs and ours do not disturb each other.
func (s *systemd) SetDevices(rules []specs.LinuxDeviceCgroup) error {
	if !s.onV2() {
		list, err := deviceRules(rules)
		if err != nil {
			return err
		}
		set, err := deviceSetOf(list)
		if err != nil {
			return err
		}
		m, err := dialManager(s.o.Rootless)
		if err != nil {
			return err
		}
		defer m.conn.Close()
		if err := s.setProperties(m, deviceProperties(set)); err != nil {
			return err
		}
	}
	return s.Cgroup.SetDevices(rules)
}

// Delete stops the scope, if systemd has not noticed yet that it is empty,
// and removes what is left.
func (s *systemd) Delete() error {
	m, err := dialManager(s.o.Rootless)
	if err != nil {
		return errors.Join(err, s.Cgroup.Delete())
	}
	defer m.conn.Close()
	err = m.job(s.unit.name, call("StopUnit", "ss", s.unit.name, "replace"))
	if isError(err, "NoSuchUnit") {
		err = nil
	}
	_, _ = m.conn.Call(call("ResetFailedUnit", "s", s.unit.name)) // most often there is none
	if err != nil {
		err = fmt.Errorf("unit %s: cannot be stopped: %w", s.unit.name, err)
	}
	return errors.Join(err, s.Cgroup.Delete())
}
