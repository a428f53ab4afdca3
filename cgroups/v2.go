package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// v2 is a cgroup in the unified hierarchy.
type v2 struct {
	path     string
	rootless bool
}

func (c *v2) Paths() map[string]string { return map[string]string{"": c.path} }

func (c *v2) Check() error { return fit(c.path) }

func (c *v2) Create() error {
	made, err := c.create()
	if err == nil {
		// What cannot be enabled is an error only when it is asked for.
		err = c.enable("")
	}
	if err != nil {
		undo(made)
	}
	return err
}

// create makes the directory, and lists what it made even when it fails.
func (c *v2) create() ([]string, error) {
	made, err := makeDirs(c.path)
	if err == nil && !slices.Contains(made, c.path) {
		err = adopt(c.path)
	}
	if err == nil {
		err = refuse(c.path, "cgroup.events", "frozen 1", frozenReason)
	}
	if err == nil {
		err = refuse(c.path, "cgroup.type", "domain invalid", "the cgroup above it is threaded: no process can be put here")
	}
	return made, err
}

func (c *v2) Direct() bool { return true }

func (c *v2) Place(pid int, _ *specs.LinuxResources) error { return place(c.path, pid) }

// Dir is opened for reading, as some kernels want it for clone3(2).
func (c *v2) Dir() (*os.File, error) { return openFile(c.path, ".", unix.O_RDONLY|unix.O_DIRECTORY) }

func (c *v2) JoinPaths(born bool) []string {
	if born {
		return nil
	}
	return []string{filepath.Join(c.path, "cgroup.procs")}
}

func (c *v2) Set(r *specs.LinuxResources) error    { return set(c, r) }
func (c *v2) Update(r *specs.LinuxResources) error { return update(c, r, alone) }

func (c *v2) batches(r *specs.LinuxResources) (batches, error) {
	d, err := openDir(c.path)
	if err != nil {
		return nil, err
	}
	all := batches{{d: d}}
	for _, ctl := range controllers {
		list, err := ctl.v2(r, d)
		if err != nil {
			return all, err
		}
		all = append(all, batch{d, list})
	}
	list, err := unified(r)
	return append(all, batch{d, list}), err
}

// batch are the settings of one controller, which it enables first: for hybrid hosts.
func (c *v2) batch(ctl controller, r *specs.LinuxResources) (batch, error) {
	if err := c.enable(ctl.v2name); err != nil {
		return batch{}, err
	}
	d, err := openDir(c.path)
	if err != nil {
		return batch{}, err
	}
	list, err := ctl.v2(r, d)
	return batch{d, list}, err
}

// unifiedBatch is batch for linux.resources.unified.
func (c *v2) unifiedBatch(list []setting) (batch, error) {
	for i, s := range list {
		name, _, _ := strings.Cut(s.file, ".")
		if !c.offers(name) {
			list[i].facts = facts{unix.ENOENT: "controller " + name + " is not in the unified hierarchy of this host, which has both v1 and v2"}
		} else if err := c.enable(name); err != nil {
			return batch{}, err
		}
	}
	d, err := openDir(c.path)
	return batch{d, list}, err
}

func (c *v2) SetDevices(rules []specs.LinuxDeviceCgroup) error {
	list, err := deviceRules(rules)
	if err != nil {
		return err
	}
	d, err := openDir(c.path)
	if err != nil {
		return err
	}
	defer d.close()
	err = setDevicesV2(d, list)
	if c.rootless && (errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.ENOSYS)) {
		// An ordinary user may load no program, and needs none: without
		// privileges over the host the container can open what the user can.
		return nil
	}
	return err
}

func (c *v2) Delegate(uid int) error {
	d, err := openDir(c.path)
	if err != nil {
		return err
	}
	defer d.close()
	return d.delegate(uid, delegatable("/sys/kernel/cgroup/delegate"))
}

// delegatable are the files that the list, /sys/kernel/cgroup/delegate (Linux 4.15), names, or those
// of config-linux.md, "Cgroup ownership", where there is none. cgroups(7)
func delegatable(list string) []string {
	text, err := os.ReadFile(list)
	if err != nil {
		return []string{"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}
	}
	return strings.Fields(string(text))
}

// delegate changes the owner of the directory and of those of the files that it has.
func (d *dir) delegate(uid int, files []string) error {
	for _, name := range append(files, ".") {
		err := unix.Fchownat(d.fd, name, uid, -1, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil && !(errors.Is(err, unix.ENOENT) && name != ".") {
			return fmt.Errorf("cgroup %s: cannot be given to user %d: %w", filepath.Join(d.path, name), uid, err)
		}
	}
	return nil
}

func (c *v2) Of(pid int) (Cgroup, error) {
	d, err := openDir(c.path)
	if err != nil {
		return nil, err
	}
	defer d.close()
	if enabled, err := d.read("cgroup.subtree_control"); err != nil || enabled == "" {
		return c, err
	}
	text, err := readProc(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return nil, err
	}
	h, err := Detect()
	if err != nil {
		return nil, err
	}
	m := h.unified()
	if m == nil {
		return c, nil
	}
	below, err := m.below(parseOwn(text)[""])
	if path := filepath.Join(m.Dir, below); err == nil && strings.HasPrefix(path+"/", c.path+"/") {
		return &v2{path: path, rootless: c.rootless}, nil
	}
	return c, err
}

func (c *v2) Below(paths map[string]string) Cgroup {
	return loadFiles(paths, Options{Rootless: c.rootless})
}

func (c *v2) Pids() ([]int, error) { return pidsBelow(c.path) }

func (c *v2) OOMKills() (uint64, error) {
	d, err := openDir(c.path)
	if err != nil {
		return 0, err
	}
	defer d.close()
	return d.keyed("memory.events", "oom_kill")
}
