package libcontainer

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// field is the JSON path of an element of a list.
func field(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// stepCredentials becomes the user with the configured capabilities. The
// order matters, see capabilities(7): the bounding set needs CAP_SETPCAP,
// which goes with the ids unless kept; ambient capabilities have to be
// permitted and inheritable first.
func stepCredentials(b *build) error {
	u := b.process.User
	var err error
	if b.available, err = b.availableCaps(); err != nil {
		return err
	}
	caps := lowerCaps(b.process.Capabilities, b.available)
	b.At("process.capabilities.bounding", "")
	b.DropBounding(caps.bounding)
	b.At("process.user", "")
	b.Prctl("keepcaps", unix.PR_SET_KEEPCAPS, plan.N(1))
	b.At("process.user.gid", strconv.FormatUint(uint64(u.GID), 10))
	b.Syscall("setresgid", unix.SYS_SETRESGID, plan.N(u.GID), plan.N(u.GID), plan.N(u.GID)).
		Because(unix.EINVAL, "the group is not mapped in the user namespace")
	b.At("process.user.uid", strconv.FormatUint(uint64(u.UID), 10))
	b.Syscall("setresuid", unix.SYS_SETRESUID, plan.N(u.UID), plan.N(u.UID), plan.N(u.UID)).
		Because(unix.EINVAL, "the user is not mapped in the user namespace")
	b.Prctl("keepcaps", unix.PR_SET_KEEPCAPS, plan.N(0))
	b.At("process.capabilities", "")
	b.capset(caps)
	b.ambient(caps.ambient)
	return nil
}

// caps are the five capability sets as bit masks.
type caps struct{ bounding, effective, permitted, inheritable, ambient uint64 }

// availableCaps are the capabilities that the stage will be able to give: hull's own, or all of them in a
// user namespace of the container's, see user_namespaces(7).
func (b *build) availableCaps() (uint64, error) {
	if b.ns.has(unix.CLONE_NEWUSER) {
		return ^uint64(0), nil
	}
	var data [2]unix.CapUserData
	if err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0]); err != nil {
		return 0, fmt.Errorf("capget: %w", err)
	}
	return uint64(data[1].Permitted)<<32 | uint64(data[0].Permitted), nil
}

// lowerCaps are the sets of a process; no capabilities in the configuration means none. What
// cannot be granted is left out: config.md, Linux Process, wants a warning for it, no error.
func lowerCaps(c *specs.LinuxCapabilities, available uint64) caps {
	g := specconv.GrantedCapabilities(c, available)
	return caps{g.Bounding, g.Effective, g.Permitted, g.Inheritable, g.Ambient}
}

// capset is capset(2) with its version 3 structures.
func (b *build) capset(c caps) {
	le := binary.NativeEndian
	header := le.AppendUint32(nil, unix.LINUX_CAPABILITY_VERSION_3)
	header = le.AppendUint32(header, 0)
	var data []byte
	for _, shift := range []int{0, 32} {
		for _, set := range []uint64{c.effective, c.permitted, c.inheritable} {
			data = le.AppendUint32(data, uint32(set>>shift)) //nolint:gosec // half of it
		}
	}
	b.Syscall("capset", unix.SYS_CAPSET, plan.Bytes(header), plan.Bytes(data)).
		Because(unix.EPERM, "the capabilities are not hull's to give")
}

// ambient raises the ambient set, after clearing what was inherited.
func (b *build) ambient(set uint64) {
	b.At("process.capabilities.ambient", "")
	b.Prctl("ambient", unix.PR_CAP_AMBIENT, plan.N(unix.PR_CAP_AMBIENT_CLEAR_ALL))
	for i := range 64 {
		if set&(1<<i) != 0 {
			b.Prctl("ambient", unix.PR_CAP_AMBIENT, plan.N(unix.PR_CAP_AMBIENT_RAISE), plan.N(i))
		}
	}
}
