package libcontainer

import (
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"hull/specconv"
)

// stepSysctl writes linux.sysctl through the host's procfs, which shows every
// process its own namespaces: nothing of the container's mounts is used (CVE-2025-52881).
func stepSysctl(b *build) error {
	if b.spec.Linux == nil {
		return nil
	}
	keys := make([]string, 0, len(b.spec.Linux.Sysctl))
	for k := range b.spec.Linux.Sysctl {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		path, err := specconv.Sysctl(k)
		if err != nil {
			return err
		}
		b.At("linux.sysctl", k)
		value := strings.TrimSuffix(b.spec.Linux.Sysctl[k], "\n")
		b.WriteFile(b.proc, "sys/"+path, []byte(value)).
			Because(unix.ENOENT, "this kernel has no such sysctl in the container's namespaces").
			Because(unix.EINVAL, "the kernel refuses the value \""+value+"\"")
	}
	return nil
}
