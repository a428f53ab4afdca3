package specconv

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// capabilities are those of capabilities(7). The index is the number.
var capabilities = [...]string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
	"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
	"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

// CapabilityNames lists the capabilities that hull knows, in the order of their numbers.
func CapabilityNames() []string { return slices.Clone(capabilities[:]) }

// Capabilities is the set with the named capabilities, and the names that mean nothing: config.md,
// Linux Process, has those logged as warnings, not refused.
func Capabilities(list []string) (mask uint64, unknown []string) {
	for _, name := range list {
		if number := slices.Index(capabilities[:], name); number >= 0 {
			mask |= 1 << number
		} else {
			unknown = append(unknown, name)
		}
	}
	return mask, unknown
}

// CapabilitySets are the five sets of a thread; see capabilities(7), Thread capability sets.
type CapabilitySets struct {
	Bounding, Effective, Inheritable, Permitted, Ambient uint64
}

// GrantedCapabilities is c without what cannot be granted: what hull has not available itself, and what the
// kernel does not allow: what is effective must be permitted, and what is ambient must be permitted and
// inheritable. Config.Warnings names what is left out.
func GrantedCapabilities(c *specs.LinuxCapabilities, available uint64) CapabilitySets {
	if c == nil {
		return CapabilitySets{}
	}
	set := func(list []string) uint64 {
		mask, _ := Capabilities(list)
		return mask & available
	}
	permitted, inheritable := set(c.Permitted), set(c.Inheritable)
	return CapabilitySets{
		Bounding:    set(c.Bounding),
		Effective:   set(c.Effective) & permitted,
		Inheritable: inheritable,
		Permitted:   permitted,
		Ambient:     set(c.Ambient) & permitted & inheritable,
	}
}
