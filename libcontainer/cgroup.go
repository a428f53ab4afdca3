package libcontainer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/cgroups"
	"hull/internal/fail"
	"hull/internal/sys"
	"hull/rootfs"
	"hull/specconv"
)

// newCgroup is the cgroup that linux.cgroupsPath names; nothing is made yet.
func newCgroup(host *cgroups.Host, id string, s *specs.Spec, o *CreateOptions) (cgroups.Cgroup, error) {
	path := ""
	if s.Linux != nil {
		path = s.Linux.CgroupsPath
	}
	return host.New(path, id, cgroups.Options{Rootless: o.Rootless, Systemd: o.SystemdCgroup, Annotations: s.Annotations})
}

func resources(s *specs.Spec) *specs.LinuxResources {
	if s.Linux == nil {
		return nil
	}
	return s.Linux.Resources
}

func deviceRules(s *specs.Spec) []specs.LinuxDeviceCgroup {
	if r := resources(s); r != nil {
		return r.Devices
	}
	return nil
}

// cgroup is the container's cgroup as recorded.
func (c *Container) cgroup() cgroups.Cgroup {
	return cgroups.Load(c.rec.Cgroup.Paths, cgroups.Options{Rootless: c.rec.Rootless, Systemd: c.rec.Cgroup.Systemd})
}

// limitDevices sets the device rules: those of linux.resources.devices, then those for the devices that
// every container has. Nothing else is allowed, whether or not a rule says so.
func limitDevices(cg cgroups.Cgroup, given []specs.LinuxDeviceCgroup) error {
	if fail.Off("device rules") {
		return nil
	}
	rules := append([]specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}, given...)
	return cg.SetDevices(append(rules, cgroups.DefaultDeviceRules()...))
}

// delegateCgroup gives the cgroup to the container's user where the container
// may manage it: config-linux.md, Cgroup ownership.
func delegateCgroup(b *build) error {
	uid, ok := cgroupOwner(b.spec)
	if !ok || b.opt.Rootless { // an ordinary user's cgroup is the user's already
		return nil
	}
	return b.cg.Delegate(int(uid))
}

// cgroupOwner is the host's id of the user whose cgroup it is to become: there
// are a cgroup namespace of the container's own and a writable mount of the cgroup file system.
func cgroupOwner(s *specs.Spec) (uid uint32, ok bool) {
	n := lowerNamespaces(s)
	if s.Process == nil || !n.new(unix.CLONE_NEWCGROUP) || n.userJoined() {
		return 0, false
	}
	writable := slices.ContainsFunc(s.Mounts, func(m specs.Mount) bool {
		return m.Source == "cgroup" && filepath.Clean(m.Destination) == "/sys/fs/cgroup" && !slices.Contains(m.Options, "ro")
	})
	if !writable {
		return 0, false
	}
	if !n.has(unix.CLONE_NEWUSER) {
		return s.Process.User.UID, true
	}
	return specconv.HostID(s.Process.User.UID, s.Linux.UIDMappings)
}

// deleteCgroup removes the cgroup and whatever still runs in it.
func (c *Container) deleteCgroup() error {
	if len(c.rec.Cgroup.Paths) == 0 {
		return nil
	}
	cg := c.cgroup()
	if err := cg.Kill(); err != nil {
		return err
	}
	return cg.Delete()
}

// hierarchies are the container's cgroup directories, for mounts of type cgroup.
// One without a cgroup is where we are.
func hierarchies(host *cgroups.Host, cg cgroups.Cgroup) []rootfs.Hierarchy {
	paths := cg.Paths()
	if len(paths) == 0 {
		paths = host.Own()
	}
	var list []rootfs.Hierarchy
	for _, m := range host.Mounts {
		switch {
		case m.Unified:
			if dir, ok := paths[""]; ok && host.V2 {
				list = append(list, rootfs.Hierarchy{Dir: dir})
			}
		case len(m.Controllers) > 0 && !host.V2:
			dir, ok := paths[m.Controllers[0]]
			if !ok {
				continue
			}
			h := rootfs.Hierarchy{Name: filepath.Base(m.Dir), Dir: dir}
			for _, c := range m.Controllers {
				if name := strings.TrimPrefix(c, "name="); name != h.Name {
					h.Links = append(h.Links, name)
				}
			}
			list = append(list, h)
		}
	}
	return list
}

// bornInside says whether the stage can be born in the unified hierarchy's
// directory of cg (clone3(2), CLONE_INTO_CGROUP): far quicker than moving there.
func bornInside(cg cgroups.Cgroup) bool {
	_, unified := cg.Paths()[""]
	return unified && sys.HasCloneIntoCgroup()
}

// birthplace is the directory of the cgroup that the stage is born in; nil when it is not, which may be closed too.
func (b *build) birthplace() (*os.File, error) {
	if !b.born {
		return nil, nil //nolint:nilnil // nowhere in particular
	}
	return b.cg.Dir()
}

// execCgroup is where exec's process goes: the container's cgroup, or with
// `[controller,…:]path` one below it, which has to exist. init is the container's process.
func execCgroup(cg cgroups.Cgroup, sub []string, init int) (cgroups.Cgroup, error) {
	if len(sub) == 0 {
		return cg.Of(init)
	}
	paths := cg.Paths()
	for _, arg := range sub {
		controllers, path, chosen := strings.Cut(arg, ":")
		if !chosen {
			path = arg
		}
		if !filepath.IsLocal(strings.TrimLeft(path, "/")) && strings.Trim(path, "/") != "" {
			return nil, fmt.Errorf("exec --cgroup %s: leads out of the container's cgroup", arg)
		}
		for _, name := range strings.Split(controllers, ",") {
			if _, ok := paths[name]; chosen && !ok {
				return nil, fmt.Errorf("exec --cgroup %s: the container has no cgroup of controller %q", arg, name)
			}
		}
		for name, dir := range paths {
			if chosen && !slices.Contains(strings.Split(controllers, ","), name) {
				continue
			}
			paths[name] = filepath.Join(dir, path)
			if st, err := os.Stat(paths[name]); err != nil || !st.IsDir() {
				return nil, fmt.Errorf("exec --cgroup %s: %s: %w", arg, paths[name], os.ErrNotExist)
			}
		}
	}
	return cg.Below(paths), nil
}
