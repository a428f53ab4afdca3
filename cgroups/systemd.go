package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hull/internal/dbus"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// systemd is a cgroup that systemd makes: a scope, which systemd.scope(5)
// describes. Files are written as for any cgroup, so that every field of the
// configuration works; what systemd knows too is told to it as well, so that
// it does not undo it when it is reloaded.
type systemd struct {
	Cgroup // its directories
	unit   unit
	paths  map[string]string
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

// Direct is true once the scope is there, if this user may move processes
// from where we are to there: that takes the right to write the cgroup.procs
// above both.
func (s *systemd) Direct() bool {
	for name, path := range s.paths {
		if !exists(path) {
			return false
		}
		if name != "" || os.Geteuid() == 0 {
			continue
		}
		h, err := Detect()
		if err != nil || h.unified() == nil {
			return false
		}
		own, err := h.ownCgroup(*h.unified())
		if err != nil || unix.Access(filepath.Join(h.unified().Dir, common(own, path[len(h.unified().Dir):]), "cgroup.procs"), unix.W_OK) != nil {
			return false
		}
	}
	return true
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// common is the deepest directory above both.
func common(a, b string) string {
	for a != b {
		if len(a) > len(b) {
			a = filepath.Dir(a)
		} else {
			b = filepath.Dir(b)
		}
	}
	return a
}

// Place starts the scope with its first process; a further one is attached.
func (s *systemd) Place(pid int, r *specs.LinuxResources) error {
	m, err := dialManager(s.o.Rootless)
	if err != nil {
		return err
	}
	defer m.conn.Close()
	if exists(s.anyPath()) {
		_, err := m.conn.Call(call("AttachProcessesToUnit", "ssau", s.unit.name, "", []any{uint32(pid)})) //nolint:gosec // a pid
		if err != nil {
			return fmt.Errorf("unit %s: process %d cannot be put into it: %w", s.unit.name, pid, err)
		}
		if s.onV2() {
			return nil
		}
		return s.Cgroup.Place(pid, nil) // where systemd does not look
	}
	if err := s.start(m, pid, r); err != nil {
		return fmt.Errorf("linux.cgroupsPath (unit %s): cannot be started: %w", s.unit.name, err)
	}
	s.placed = true
	return s.arrive(pid)
}

func (s *systemd) anyPath() string {
	for _, name := range []string{"", "name=systemd"} {
		if path, ok := s.paths[name]; ok {
			return path
		}
	}
	return ""
}

// start starts the scope with pid in it. A failed scope of the same name is
// what remains of a container of the same name: systemd keeps the memory of it.
func (s *systemd) start(m *manager, pid int, r *specs.LinuxResources) error {
	properties, err := s.properties(m, r)
	if err != nil {
		return err
	}
	extra, err := annotated(s.o.Annotations)
	if err != nil {
		return err
	}
	all := append([]property{
		{"Description", dbus.Variant{Signature: "s", Value: "hull container " + s.unit.name}},
		{"Slice", dbus.Variant{Signature: "s", Value: s.unit.slice}},
		{"Delegate", dbus.Variant{Signature: "b", Value: true}},
		{"PIDs", dbus.Variant{Signature: "au", Value: []any{uint32(pid)}}}, //nolint:gosec // a pid
		{"DefaultDependencies", dbus.Variant{Signature: "b", Value: false}},
		{"CPUAccounting", dbus.Variant{Signature: "b", Value: true}},
		{"MemoryAccounting", dbus.Variant{Signature: "b", Value: true}},
		{"TasksAccounting", dbus.Variant{Signature: "b", Value: true}},
		{s.io("IOAccounting", "BlockIOAccounting"), dbus.Variant{Signature: "b", Value: true}},
	}, append(properties, extra...)...)
	start := call("StartTransientUnit", "ssa(sv)a(sa(sv))", s.unit.name, "fail", wire(all), []any{})
	err = m.job(s.unit.name, start)
	if isError(err, "UnitExists") {
		if _, reset := m.conn.Call(call("ResetFailedUnit", "s", s.unit.name)); reset == nil {
			err = m.job(s.unit.name, start)
		}
	}
	if isError(err, "UnitExists") {
		return fmt.Errorf("there is a unit of this name: %w", err)
	}
	return err
}

// io is the one or the other name, for v2 and v1.
func (s *systemd) io(v2, v1 string) string {
	if s.onV2() {
		return v2
	}
	return v1
}

func (s *systemd) onV2() bool { _, ok := s.Cgroup.(*v2); return ok }

// arrive sees to it that pid is in the directories that were expected, and
// puts it into those v1 hierarchies that systemd does not manage.
func (s *systemd) arrive(pid int) error {
	switch c := s.Cgroup.(type) {
	case *v2:
		if !exists(c.path) {
			return fmt.Errorf("linux.cgroupsPath (%s): systemd has put unit %s elsewhere: %w", c.path, s.unit.name, fs.ErrNotExist)
		}
		return c.enable("")
	case *v1:
		for _, h := range c.hierarchies {
			if _, err := h.make(); err != nil {
				return err
			}
		}
	}
	return s.Cgroup.Place(pid, nil)
}

// Set tells systemd what it can know and writes the files.
func (s *systemd) Set(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	if s.placed {
		s.placed = false
		return s.Cgroup.Set(r)
	}
	m, err := dialManager(s.o.Rootless)
	if err != nil {
		return err
	}
	defer m.conn.Close()
	properties, err := s.properties(m, r)
	if err != nil {
		return err
	}
	if len(properties) > 0 {
		if err := s.setProperties(m, properties); err != nil {
			return err
		}
	}
	return s.Cgroup.Set(r)
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
