package specconv

import (
	"errors"
	"path"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Warnings tells what in the configuration has no effect, or not the one asked for, and yet must not or
// need not be an error by the spec (runtime.md, Warnings). It is not part of Check, since a warning costs
// a look for its position in the file. The capabilities available are those that hull can give.
func (c *Config) Warnings(available uint64) []string {
	k := newChecker()
	s, l := c.Spec, linux(c.Spec)
	if major, minor, ok := semver(s.Version); ok && major == specs.VersionMajor && minor > specs.VersionMinor {
		k.bad("ociVersion", s.Version, "is newer than %s, the version hull was written for", specs.Version)
	}
	if s.Process != nil {
		k.in("process").capabilityWarnings(s.Process.Capabilities, available)
	}
	for i := range s.Mounts {
		if d := s.Mounts[i].Destination; d != "" && !path.IsAbs(d) {
			k.at("mounts", i).bad("destination", d, "is relative, which is deprecated; it is taken as relative to /")
		}
	}
	if p := l.Seccomp; p != nil && p.DefaultAction == "" && len(p.Syscalls) == 0 {
		k.bad("linux.seccomp", nil, "has no defaultAction and no syscalls: there will be no filter")
	}
	for _, platform := range [...]struct {
		name  string
		given bool
	}{
		{"freebsd", c.others.FreeBSD != nil},
		{"solaris", c.others.Solaris != nil},
		{"windows", c.others.Windows != nil},
		{"zos", c.others.ZOS != nil},
	} {
		if platform.given {
			k.bad(platform.name, nil, "is for another platform, and ignored")
		}
	}
	var found Problems
	errors.As(k.locate(c.Path, c.Raw), &found)
	warnings := make([]string, len(found))
	for i, p := range found {
		warnings[i] = p.String()
	}
	return warnings
}

// capabilityWarnings names what GrantedCapabilities leaves out: config.md, Linux Process, wants a warning.
func (k checker) capabilityWarnings(c *specs.LinuxCapabilities, available uint64) {
	if c == nil {
		return
	}
	k = k.in("capabilities")
	granted := GrantedCapabilities(c, available)
	for _, set := range [...]struct {
		name    string
		list    []string
		granted uint64
		needs   string
	}{
		{"bounding", c.Bounding, granted.Bounding, ""},
		{"effective", c.Effective, granted.Effective, "permitted"},
		{"inheritable", c.Inheritable, granted.Inheritable, ""},
		{"permitted", c.Permitted, granted.Permitted, ""},
		{"ambient", c.Ambient, granted.Ambient, "permitted and inheritable"},
	} {
		for i, name := range set.list {
			switch mask, unknown := Capabilities([]string{name}); {
			case len(unknown) > 0:
				k.at(set.name, i).bad("", name, "is not a capability that hull knows, and ignored")
			case mask&^available != 0:
				k.at(set.name, i).bad("", name, "is ignored, for hull does not have it itself")
			case mask&^set.granted != 0:
				k.at(set.name, i).bad("", name, "is ignored, for it is not %s", set.needs)
			}
		}
	}
}
