package cgroups

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"hull/internal/dbus"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

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

// Of is in the scope.
func (s *systemd) Of(pid int) (Cgroup, error) {
	c, err := s.Cgroup.Of(pid)
	if err != nil || c == s.Cgroup {
		return s, err
	}
	return s.Below(c.Paths()), nil
}

// Below is in the scope too: systemd is to put processes there.
func (s *systemd) Below(paths map[string]string) Cgroup {
	c := &systemd{Cgroup: s.Cgroup.Below(paths), unit: s.unit, paths: paths, o: s.o}
	c.below = strings.TrimPrefix(c.anyPath(), s.anyPath())
	return c
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
		_, err := m.conn.Call(call("AttachProcessesToUnit", "ssau", s.unit.name, s.below, []any{uint32(pid)})) //nolint:gosec // a pid
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
		return fmt.Errorf("there is a unit of this name: %w: %w", fs.ErrExist, err)
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
