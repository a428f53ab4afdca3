package cgroups

import (
	"maps"
	"os"
	"path/filepath"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/fail"
)

// v1 is a cgroup in the hierarchies of cgroup v1 and, on a hybrid host, in the
// unified one too. There it has few or no controllers, but cgroup.kill and
// cgroup.events, which v1 lacks.
type v1 struct {
	hierarchies []hierarchy // without the unified one
	unified     *v2         // nil where there is none
	rootless    bool
}

// hierarchy is a v1 hierarchy: its controllers, which share the directory.
type hierarchy struct {
	controllers []string
	path        string
}

func newV1(paths map[string]string, o Options) *v1 {
	c := &v1{rootless: o.Rootless}
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		path := paths[name]
		if name == "" {
			c.unified = &v2{path: path, rootless: o.Rootless}
			continue
		}
		i := slices.IndexFunc(c.hierarchies, func(h hierarchy) bool { return h.path == path })
		if i < 0 {
			i = len(c.hierarchies)
			c.hierarchies = append(c.hierarchies, hierarchy{path: path})
		}
		c.hierarchies[i].controllers = append(c.hierarchies[i].controllers, name)
	}
	return c
}

func (c *v1) Paths() map[string]string {
	paths := map[string]string{}
	for _, h := range c.hierarchies {
		for _, name := range h.controllers {
			paths[name] = h.path
		}
	}
	if c.unified != nil {
		paths[""] = c.unified.path
	}
	return paths
}

// path is the directory that has the controller, "" where none has.
func (c *v1) path(controller string) string {
	for _, h := range c.hierarchies {
		if slices.Contains(h.controllers, controller) {
			return h.path
		}
	}
	return ""
}

// dir opens the directory that has the controller, absent where none has.
func (c *v1) dir(controller string) (*dir, error) {
	path := c.path(controller)
	if path == "" {
		return absent, nil
	}
	return openDir(path)
}

// any is the path of a hierarchy in which all processes are to be seen: in
// every one, but containers are known to make cgroups of their own in some
// and seldom in these.
func (c *v1) any() string {
	for _, name := range []string{"freezer", "devices"} {
		if path := c.path(name); path != "" {
			return path
		}
	}
	return c.hierarchies[0].path
}

func (c *v1) Check() error {
	for _, h := range c.hierarchies {
		if err := fit(h.path); err != nil {
			return err
		}
	}
	if c.unified != nil {
		return c.unified.Check()
	}
	return nil
}

func (c *v1) Create() (err error) {
	var made []string
	defer func() {
		if err != nil {
			undo(made)
		}
	}()
	for _, h := range c.hierarchies {
		dirs, err := h.create()
		made = append(made, dirs...)
		if err == nil {
			err = fail.Point("cgroup.made")
		}
		if err != nil {
			return err
		}
	}
	if c.unified == nil {
		return nil
	}
	dirs, err := c.unified.create()
	made = append(made, dirs...)
	return err
}

// make makes the directory of one hierarchy, ready for processes.
func (h hierarchy) make() ([]string, error) {
	made, err := makeDirs(h.path)
	if err == nil && slices.Contains(h.controllers, "cpuset") {
		err = inheritCpuset(h.path)
	}
	return made, err
}

// create makes the directory of one hierarchy, or refuses it, and lists what it made even when it fails.
func (h hierarchy) create() ([]string, error) {
	made, err := h.make()
	if err == nil && !slices.Contains(made, h.path) {
		err = adopt(h.path)
	}
	if err == nil && slices.Contains(h.controllers, "freezer") {
		err = refuse(h.path, "freezer.state", "FROZEN", frozenReason)
	}
	return made, err
}

func (c *v1) Direct() bool { return true }

func (c *v1) Place(pid int, _ *specs.LinuxResources) error {
	paths := c.Paths()
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		if err := place(paths[name], pid); err != nil {
			return err
		}
	}
	return nil
}

// JoinPaths has the tasks files of v1 and not its cgroup.procs: writing a
// thread's own id there takes no global lock, which on an idle machine is
// waited for up to 12 ms.
func (c *v1) JoinPaths(born bool) []string {
	files := make([]string, 0, len(c.hierarchies)+1)
	for _, h := range c.hierarchies {
		files = append(files, filepath.Join(h.path, "tasks"))
	}
	if c.unified != nil {
		files = append(files, c.unified.JoinPaths(born)...)
	}
	return files
}

func (c *v1) Dir() (*os.File, error) {
	if c.unified == nil {
		return nil, nil
	}
	return c.unified.Dir()
}

// Delegate does nothing: delegation on v1 is not safe, and config-linux.md
// advises against it.
func (c *v1) Delegate(int) error { return nil }

// Of is c: every cgroup of v1 takes processes.
func (c *v1) Of(int) (Cgroup, error) { return c, nil }

func (c *v1) Below(paths map[string]string) Cgroup {
	return loadFiles(paths, Options{Rootless: c.rootless})
}

func (c *v1) Pids() ([]int, error) { return pidsBelow(c.any()) }

func (c *v1) OOMKills() (uint64, error) {
	d, err := c.dir("memory")
	if err != nil {
		return 0, err
	}
	defer d.close()
	return d.keyed("memory.oom_control", "oom_kill")
}
