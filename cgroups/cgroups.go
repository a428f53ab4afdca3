// Package cgroups puts containers into control groups, cgroups(7), limits and
// counts what they use, freezes them, kills them and cleans up.
//
// It is the only writer of cgroupfs in hull. [Detect] finds out how this host
// has its hierarchies mounted, [Host.New] names a container's cgroup in them,
// and the [Cgroup] it returns does the rest, in the same way for v1, for v2,
// for both at once (hybrid), and where systemd owns the tree.
package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Cgroup is the cgroup of one container, in as many hierarchies as there are.
type Cgroup interface {
	// Paths are its directories by controller. The key "" stands for the
	// unified hierarchy, which is alone on a v2 host and one of many on a
	// hybrid one. They are for the container's saved state, and for Load.
	Paths() map[string]string
	// Check refuses what Create would refuse. It comes before anything that
	// might make somebody take the cgroup for this container's, and kill what is in it.
	Check() error
	// Create makes it, with the parents that are missing. It refuses one
	// that has processes or is frozen, and leaves nothing behind when it fails.
	Create() error
	// Direct says that processes join by themselves, by Dir and JoinPaths.
	// Otherwise somebody else, systemd, has to Place them.
	Direct() bool
	// Place moves the process pid there, before it has children or makes a
	// cgroup namespace. Where it is what makes the cgroup, r are the limits to
	// begin with; Set is to follow all the same, and to come later. An error
	// that is [fs.ErrExist] says that the cgroup is somebody else's.
	Place(pid int, r *specs.LinuxResources) error
	// Dir is its directory in the unified hierarchy, for a process to be
	// born in (clone3(2), CLONE_INTO_CGROUP); nil where there is none. Being
	// born there is much quicker than moving there.
	Dir() (*os.File, error)
	// JoinPaths are the files into which a single-threaded process writes
	// "0" to join. Those of v1 are always among them, that of the
	// unified hierarchy unless born says that the process was born in Dir.
	JoinPaths(born bool) []string
	// Set puts the limits in force, but not the device rules.
	Set(r *specs.LinuxResources) error
	// Update is Set for a cgroup in use: when a limit cannot be set, those
	// before it get their old values back.
	Update(r *specs.LinuxResources) error
	// SetDevices allows what the rules allow, in their order, and nothing else.
	SetDevices(rules []specs.LinuxDeviceCgroup) error
	// Delegate gives the cgroup to a user, if it is on v2 (config-linux.md,
	// "Cgroup ownership").
	Delegate(uid int) error

	// Freeze stops all processes and returns when they are stopped.
	Freeze() error
	// Thaw undoes Freeze.
	Thaw() error
	// Frozen says that Freeze is in force.
	Frozen() (bool, error)
	// Pids are the processes in it and in the cgroups below, in order.
	Pids() ([]int, error)
	// Kill sends SIGKILL to all of them, frozen ones too, and thaws.
	Kill() error
	// Stats are the counters of all controllers.
	Stats() (*Stats, error)
	// OOMKills is how many processes the OOM killer has killed in it.
	OOMKills() (uint64, error)
	// WatchOOM tells when memory runs out.
	WatchOOM() (*OOMWatch, error)
	// Of is where a further process of the container goes, of which pid is
	// one: the cgroup itself; or, if that gives controllers to sub-cgroups and
	// so takes no processes (a container that runs systemd), where pid is.
	Of(pid int) (Cgroup, error)
	// Below is the cgroup in the directories paths, which are in those of
	// this one and exist.
	Below(paths map[string]string) Cgroup
	// Delete removes it and what is below, and the parents that were made
	// for it once they are empty. It waits for dying processes. Deleting
	// what is gone already is no error.
	Delete() error
}

// Options are what New needs to know besides the path.
type Options struct {
	// Rootless: this user may not be allowed to make cgroups. A container
	// that names none then goes without, as long as it asks for no limit.
	Rootless bool
	// Systemd makes the cgroup, and linux.cgroupsPath is slice:prefix:name. Of
	// a rootless container it is the user's systemd.
	Systemd bool
	// Annotations of the container: some are properties of its unit.
	Annotations map[string]string
}

// ErrNone is the error of what cannot be done without a cgroup.
var ErrNone = errors.New("the container has no cgroup of its own")

// New names the cgroup of the container id by linux.cgroupsPath (config-linux.md,
// "Cgroups Path"); nothing is made yet.
func (h *Host) New(path, id string, o Options) (Cgroup, error) {
	if o.Systemd {
		return h.newSystemd(path, id, o)
	}
	clean, err := cleanPath(path, id)
	if err != nil {
		return nil, err
	}
	paths, err := h.paths(clean)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return &none{why: errors.New("no cgroup file system is mounted"), rootless: o.Rootless}, nil
	}
	if o.Rootless && path == "" {
		if err := mayCreate(paths); err != nil {
			return &none{why: err, rootless: true}, nil //nolint:nilerr // kept as the reason
		}
	}
	return Load(paths, o), nil
}

// mayCreate says whether this user may make the directories and move processes
// into them, which takes the right to write the cgroup.procs above both.
func mayCreate(paths map[string]string) error {
	for _, path := range paths {
		parent := filepath.Dir(path)
		for _, name := range []string{parent, filepath.Join(parent, "cgroup.procs")} {
			if err := unix.Access(name, unix.W_OK); err != nil {
				return fmt.Errorf("%s: %s: %w", name, whyNotMade(err), err)
			}
		}
	}
	return nil
}

// paths are the directories of the clean path in all hierarchies that count:
// all on v1, where processes are in each anyway, the unified one alone on v2.
func (h *Host) paths(clean string) (map[string]string, error) {
	paths := map[string]string{}
	for _, m := range h.Mounts {
		if h.V2 && !m.Unified {
			continue
		}
		path, err := h.locate(m, clean)
		if err != nil {
			return nil, err
		}
		if m.Unified {
			paths[""] = path
		}
		for _, name := range m.Controllers {
			paths[name] = path
		}
	}
	return paths, nil
}

// Own are the directories of the cgroup that this process is in, as Cgroup.Paths has them.
// Those out of sight are left out.
func (h *Host) Own() map[string]string {
	paths := map[string]string{}
	for _, m := range h.Mounts {
		own, err := h.ownCgroup(m)
		if err != nil || h.V2 && !m.Unified {
			continue
		}
		path := filepath.Join(m.Dir, own)
		if m.Unified {
			paths[""] = path
		}
		for _, name := range m.Controllers {
			paths[name] = path
		}
	}
	return paths
}

// Load is the cgroup with the given Paths, made by New earlier with the same options.
func Load(paths map[string]string, o Options) Cgroup {
	if o.Systemd && len(paths) > 0 {
		return loadSystemd(paths, unitOf(paths), o)
	}
	return loadFiles(paths, o)
}

func loadFiles(paths map[string]string, o Options) Cgroup {
	unified, ok := paths[""]
	switch {
	case len(paths) == 0:
		return &none{why: ErrNone, rootless: o.Rootless}
	case ok && len(paths) == 1:
		return &v2{path: unified, rootless: o.Rootless}
	default:
		return newV1(paths, o)
	}
}
