package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

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

// lower fills v.mounts and looks at the sources of bind mounts.
func (v *View) lower() error {
	var errs []error
	for i := range v.o.Spec.Mounts {
		m := mount{spec: &v.o.Spec.Mounts[i], field: fmt.Sprintf("mounts[%d]", i), dir: true, fetched: plan.None}
		low, err := specconv.LowerMount(m.spec)
		var problems specconv.Problems
		if errors.As(err, &problems) {
			for j := range problems {
				problems[j].Path = m.field + "." + problems[j].Path
			}
			err = problems
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

// lookAt finds out what the source of a bind mount is.
func (v *View) lookAt(m *mount) error {
	m.source = m.spec.Source
	if !filepath.IsAbs(m.source) {
		m.source = filepath.Join(v.o.Bundle, m.source)
	}
	info, err := os.Stat(m.source)
	var fs unix.Statfs_t
	if err == nil {
		err = unix.Statfs(m.source, &fs)
	}
	if err != nil {
		return fmt.Errorf("%s.source (%s): %w", m.field, m.source, sys.Bare(err))
	}
	m.dir = info.IsDir()
	m.proc = fs.Type == unix.PROC_SUPER_MAGIC
	m.have = mountFlags(fs.Flags)
	if m.Destination == "/proc" && !m.proc {
		return fmt.Errorf("%s.source (%s): is not a procfs, and nothing else may be mounted on /proc", m.field, m.source)
	}
	return nil
}

// check refuses what this kernel or this container cannot have.
func (v *View) check() error {
	var errs []error
	bad := func(field, fact string) { errs = append(errs, fmt.Errorf("%s: %s", field, fact)) }
	l := v.linux()
	var fs unix.Statfs_t
	if err := unix.Statfs(v.o.Root, &fs); err != nil {
		bad(fmt.Sprintf("root.path (%s)", v.o.Root), err.Error())
	}
	v.have = mountFlags(fs.Flags)
	if _, ok := propagations[l.RootfsPropagation]; !ok && l.RootfsPropagation != "" {
		bad("linux.rootfsPropagation", "is not a propagation")
	}
	if !v.mntns {
		// Whatever would be mounted, would be mounted on the host.
		const fact = "needs a mount namespace in linux.namespaces"
		if len(v.mounts) > 0 {
			bad("mounts", fact)
		}
		if len(l.MaskedPaths) > 0 {
			bad("linux.maskedPaths", fact)
		}
		if len(l.ReadonlyPaths) > 0 {
			bad("linux.readonlyPaths", fact)
		}
		if v.o.Spec.Root != nil && v.o.Spec.Root.Readonly {
			bad("root.readonly", fact)
		}
		if l.RootfsPropagation != "" {
			bad("linux.rootfsPropagation", fact)
		}
		if v.o.Userns {
			bad("linux.namespaces", "a user namespace needs a mount namespace too: its devices are bind mounts")
		}
	}
	for i := range v.mounts {
		m := &v.mounts[i]
		if !v.setattr && !m.RecursiveAttr.IsZero() {
			bad(m.field+".options", "recursive attributes need mount_setattr(2): Linux 5.12")
		}
		if !v.setattr && m.IDMap {
			bad(m.field+".options", "idmapped mounts need mount_setattr(2): Linux 5.12")
		}
		if m.IDMap && len(m.spec.UIDMappings) == 0 && !v.o.Userns {
			bad(m.field+".options", "idmap needs uidMappings and gidMappings of the mount, or a user namespace of the container")
		}
		if m.spec.Type == "cgroup" && !m.Bind && !m.Remount && len(v.o.Cgroups) == 0 {
			bad(m.field+".type", "the container has no cgroup that could be shown")
		}
	}
	return errors.Join(errs...)
}
