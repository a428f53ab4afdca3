package security

import (
	"fmt"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// writableSys looks for mounts in /sys that can be written to, where all were asked to be read-only.
func writableSys(change func(*specs.Spec)) attack {
	return func(b *bundle) string {
		b.unmount("/sys")
		b.mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro")
		b.mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "ro")
		b.check(unix.Chown(b.rootfs, 0, 0))
		b.edit(change)
		b.payload(`busybox awk '$5 ~ "^/sys" && $6 !~ "^ro" { print $5, "is", $6 }' /proc/self/mountinfo
			for d in /sys/fs/cgroup /sys/fs/cgroup/*; do
				mkdir $d/made 2>/dev/null && echo made $d/made && rmdir $d/made
				for f in cgroup.procs cgroup.subtree_control notify_on_release; do
					[ -e $d/$f ] && (exec 3>>$d/$f) 2>/dev/null && echo $d/$f is open for writing; done; done; echo ran`)
		r := b.run()
		b.worked()
		if r.out == "ran\n" || r.code != 0 {
			return ""
		}
		return r.out
	}
}

// mapped gives the container a user namespace.
func mapped(s *specs.Spec) {
	ids := []specs.LinuxIDMapping{{HostID: 0, Size: 65536}} // root stays root, and may write where nothing else stops it
	s.Linux.UIDMappings, s.Linux.GIDMappings = ids, ids
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
}

// withoutNamespace takes a namespace out of the configuration.
func withoutNamespace(s *specs.Spec, kind specs.LinuxNamespaceType) {
	var rest []specs.LinuxNamespace
	for _, ns := range s.Linux.Namespaces {
		if ns.Type != kind {
			rest = append(rest, ns)
		}
	}
	s.Linux.Namespaces = rest
}

// Without a cgroup namespace, what is shown at /sys/fs/cgroup is the host's.
func TestCVE_2023_25809_CgroupsOfTheHostAreWritable(t *testing.T) {
	for name, change := range map[string]func(*specs.Spec){
		"root":                        func(*specs.Spec) {},
		"user namespace":              mapped,
		"user namespace and host net": func(s *specs.Spec) { mapped(s); withoutNamespace(s, specs.NetworkNamespace) },
	} {
		for _, own := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, cgroup namespace %t", name, own), func(t *testing.T) {
				replay(t, writableSys(func(s *specs.Spec) {
					withoutNamespace(s, specs.CgroupNamespace)
					if own {
						s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.CgroupNamespace})
					}
					change(s)
				}), without("set mount attributes"))
			})
		}
	}
}
