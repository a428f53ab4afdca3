package specconv

import (
	"fmt"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// linux is config-linux.md, except what it says on default file systems.
func (k checker) linux(l *specs.Linux, s *specs.Spec, h Host) {
	k.namespaces(l, h)
	k.devices(l.Devices)
	k.netDevices(l, h)
	k.cgroupsPath(l.CgroupsPath, h)
	k.in("resources").resources(l.Resources)
	k.in("resources").unified(l.Resources, h)
	if l.IntelRdt != nil {
		k.in("intelRdt").intelRdt(l.IntelRdt)
	}
	if l.MemoryPolicy != nil {
		k.in("memoryPolicy").memoryPolicy(l.MemoryPolicy)
	}
	k.sysctl(l, s.Domainname)
	if l.Seccomp != nil {
		k.in("seccomp").seccomp(l.Seccomp)
	}
	k.rootfsPropagation(l)
	for i, path := range l.MaskedPaths {
		k.absolute(fmt.Sprintf("maskedPaths[%d]", i), path)
	}
	for i, path := range l.ReadonlyPaths {
		k.absolute(fmt.Sprintf("readonlyPaths[%d]", i), path)
	}
	k.label("mountLabel", l.MountLabel)
	if l.Personality != nil {
		k.in("personality").personality(l.Personality.Domain, l.Personality.Flags)
	}
}

// cgroupsPath checks the form. systemd's has three parts, see systemd.slice(5); any other is a path.
func (k checker) cgroupsPath(path string, h Host) {
	k.oneLine("cgroupsPath", path)
	if path == "" || !h.Systemd {
		return
	}
	parts := strings.Split(path, ":")
	switch {
	case len(parts) != 3 || parts[2] == "":
		k.bad("cgroupsPath", path, "must have the form slice:prefix:name, for cgroups are made by systemd").
			hint("a path is for --systemd-cgroup=false")
	case parts[0] != "" && parts[0] != "-" && !strings.HasSuffix(parts[0], ".slice"):
		k.bad("cgroupsPath", path, "the part before the first colon must be a slice, as in system.slice, or empty")
	case strings.Contains(path, "/"):
		k.bad("cgroupsPath", path, "names of units must not contain slashes")
	}
}

// intelRdt is config-linux.md, IntelRdt. Every schema is a line of a file of resctrl.
func (k checker) intelRdt(r *specs.LinuxIntelRdt) {
	switch id := r.ClosID; id {
	case "", "/": // the container's id; the root of resctrl
	case ".", "..", "info", "mon_groups", "mon_data":
		k.bad("closID", id, "is not a name for a class of service: resctrl uses it otherwise")
	default:
		if strings.ContainsAny(id, "/\n") {
			k.bad("closID", id, "must be a name, without slashes and line breaks, or / alone")
		}
	}
	k.oneLine("l3CacheSchema", r.L3CacheSchema)
	k.oneLine("memBwSchema", r.MemBwSchema)
	if r.MemBwSchema != "" && !strings.HasPrefix(r.MemBwSchema, "MB:") {
		k.bad("memBwSchema", r.MemBwSchema, "must start with MB:")
	}
	for i, line := range r.Schemata {
		k.oneLine(fmt.Sprintf("schemata[%d]", i), line)
	}
}
