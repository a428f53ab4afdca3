package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/fail"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/specconv"
)

// mount is an element of `mounts`, and what its source is.
type mount struct {
	specconv.Mount
	spec   *specs.Mount
	field  string // mounts[i]
	source string // absolute, for a bind mount

	dir  bool    // the source is a directory
	proc bool    // the source is on a procfs
	have uintptr // MS_* of the source's mount, for a bind mount

	fetched plan.Reg // where the parent puts the source's mount, or None
}

// lowerMounts fills v.mounts and looks at the sources of bind mounts.
func (v *View) lowerMounts() error {
	var errs []error
	for i := range v.o.Spec.Mounts {
		m := mount{spec: &v.o.Spec.Mounts[i], field: fmt.Sprintf("mounts[%d]", i), dir: true, fetched: plan.None}
		low, err := specconv.LowerMount(m.spec)
		err = below(m.field, err)
		if fail.Off("check") {
			err = nil
		}
		m.Mount = low
		if err == nil && m.Bind && !m.Remount {
			err = v.lookAt(&m)
		}
		errs = append(errs, err)
		v.mounts = append(v.mounts, m)
	}
	return errors.Join(errs...)
}

// below gives the paths of specconv's problems their beginning.
func below(field string, err error) error {
	var problems specconv.Problems
	if !errors.As(err, &problems) {
		return err
	}
	for i := range problems {
		problems[i].Path = field + "." + problems[i].Path
	}
	return problems
}

// lookAt finds out what the source of a bind mount is.
func (v *View) lookAt(m *mount) error {
	m.source = m.spec.Source
	if !filepath.IsAbs(m.source) {
		m.source = filepath.Join(v.o.Bundle, m.source)
	}
	place := m.source
	if m.source == v.o.Pending {
		place = filepath.Dir(filepath.Dir(m.source)) // where containers have their directories
	}
	info, err := os.Stat(place)
	var fs unix.Statfs_t
	if err == nil {
		err = unix.Statfs(place, &fs)
	}
	if err != nil {
		return fmt.Errorf("%s.source (%s): %w", m.field, m.source, sys.Bare(err))
	}
	m.dir = info.IsDir()
	m.proc = fs.Type == unix.PROC_SUPER_MAGIC
	m.have = mountFlags(fs.Flags)
	if m.Destination == "/proc" && !m.proc && !fail.Off("check") {
		return fmt.Errorf("%s.source (%s): is not a procfs, and nothing else may be mounted on /proc", m.field, m.source)
	}
	return nil
}

// check refuses what this kernel or this container cannot have.
func (v *View) check() error {
	var fs unix.Statfs_t
	if err := unix.Statfs(v.o.Root, &fs); err != nil {
		return fmt.Errorf("root.path (%s): %w", v.o.Root, err)
	}
	v.have = mountFlags(fs.Flags)
	var err error
	if v.propagation, err = specconv.RootfsPropagation(v.linux().RootfsPropagation); err != nil {
		return below("linux", err)
	}
	errs := []error{v.checkNamespace()}
	for i, file := range v.linux().MaskedPaths {
		if path.Clean(file) == "/" {
			errs = append(errs, fmt.Errorf("linux.maskedPaths[%d] (%s): the root itself cannot be masked", i, file))
		}
	}
	for i := range v.mounts {
		for _, fact := range v.checkMount(&v.mounts[i]) {
			errs = append(errs, fmt.Errorf("%s (%s): %s", v.mounts[i].field, v.mounts[i].Destination, fact))
		}
	}
	return errors.Join(errs...)
}

// checkNamespace refuses to change the host's mounts: without a mount
// namespace the container gets a root by chroot(2), its devices, and nothing else.
func (v *View) checkNamespace() error {
	if v.mntns {
		return nil
	}
	l := v.linux()
	var errs []error
	for _, part := range []struct {
		field string
		given bool
	}{
		{"mounts", len(v.mounts) > 0},
		{"linux.maskedPaths", len(l.MaskedPaths) > 0},
		{"linux.readonlyPaths", len(l.ReadonlyPaths) > 0},
		{"linux.rootfsPropagation", l.RootfsPropagation != ""},
		{"root.readonly", v.o.Spec.Root != nil && v.o.Spec.Root.Readonly},
		{"linux.devices", !v.mknod}, // they would be bind mounts
	} {
		if part.given {
			errs = append(errs, errors.New(part.field+": needs a mount namespace in linux.namespaces"))
		}
	}
	return errors.Join(errs...)
}

// checkMount is what is wrong with m here.
func (v *View) checkMount(m *mount) (facts []string) {
	bad := func(wrong bool, fact string) {
		if wrong {
			facts = append(facts, fact)
		}
	}
	const since = " need mount_setattr(2): Linux 5.12"
	bad(!v.setattr && !m.RecursiveAttr.IsZero(), "recursive attributes"+since)
	bad(!v.setattr && m.IDMap, "id mappings"+since)
	bad(m.IDMap && len(m.spec.UIDMappings) == 0 && !v.o.Userns,
		"idmap needs uidMappings and gidMappings of the mount, or a user namespace of the container")
	bad(m.IDMap && os.Geteuid() != 0, "only root can map ids, and in a user namespace only those of the file systems mounted there")
	if v.hostSys(m) {
		const why = "a user namespace cannot mount a sysfs without a network namespace in linux.namespaces"
		bad(!m.readonly(), why+"; with ro in options it would see the host's")
		bad(!v.setattr, why+", and copies of the host's that are read-only throughout"+since)
	}
	bad(m.spec.Type == "cgroup" && !m.Bind && !m.Remount && len(v.o.Cgroups) == 0,
		"the container has no cgroup that could be shown")
	return facts
}

// readonly says whether ro or rro is among the options.
func (m *mount) readonly() bool {
	return (m.Attr.Set|m.RecursiveAttr.Set)&unix.MOUNT_ATTR_RDONLY != 0
}
