package rootfs

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// hostSys says whether m shows the host's /sys: a sysfs belongs to a network
// namespace, and a user namespace may mount that of its own only, see
// user_namespaces(7).
func (v *View) hostSys(m *mount) bool {
	return m.spec.Type == "sysfs" && !m.Bind && !m.Remount && v.o.Userns && !v.namespace(specs.NetworkNamespace)
}

// bindSys attaches a copy of the host's /sys with all that is mounted below,
// read-only throughout: check has seen to it that this was asked for.
func (v *View) bindSys(m *mount) {
	p := v.p
	p.At(m.field, m.Destination)
	v.clone(plan.Cwd, "/sys", true, v.src)
	p.Check(v.src, unix.SYSFS_MAGIC, unix.S_IFDIR, 0, "a sysfs")
	v.openPlain(m.Destination, "sysfs")
	v.change(v.src, m.Attr, false)
	v.change(v.src, specconv.Attr{Set: unix.MOUNT_ATTR_RDONLY}, true)
	v.move(v.src)
	v.propagate(v.src, m.Propagation)
	v.release(m, v.src)
}
