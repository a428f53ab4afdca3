package specconv

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Host is what a check must know about the host.
type Host struct {
	Rootless bool // hull is not privileged on the host
	Root     bool // hull is root, maybe only in a user namespace that its caller has made
	CgroupV2 bool // resources go to a pure cgroup v2 hierarchy
	Systemd  bool // cgroups are made by systemd
}

// Check reports all that is wrong with the configuration, as Problems, before anything is touched.
func (c *Config) Check(h Host) error {
	k := newChecker()
	k.spec(c.Spec, h)
	if c.others.VM != nil {
		k.bad("vm", nil, "virtual machines are not supported").onKey()
	}
	k.noNUL(c.Raw, c.Spec)
	return k.locate(c.Path, c.Raw)
}

// CheckProcess reports all that is wrong with a process to run in the container of s. The paths of the
// Problems begin with "process".
func CheckProcess(p *specs.Process, s *specs.Spec, _ Host) error {
	k := newChecker()
	k.in("process").process(p)
	k.in("process").mappedUser(p, linux(s))
	return k.err()
}

// CheckResources reports all that is wrong with resources that come from no document. The paths of the
// Problems begin with "linux.resources".
func CheckResources(r *specs.LinuxResources, h Host) error {
	k := newChecker().in("linux.resources")
	k.resources(r)
	k.unified(r, h)
	return k.err()
}

// spec checks the whole, in the order of config.md.
func (k checker) spec(s *specs.Spec, h Host) {
	l := linux(s)
	k.version(s.Version)
	k.root(s.Root)
	k.mounts(s.Mounts, l)
	if s.Process != nil { // only start needs it
		k.in("process").process(s.Process)
		k.in("process").mappedUser(s.Process, l)
	}
	k.names(s, l)
	k.hooks(s.Hooks)
	k.in("linux").linux(l, s, h)
	for name := range s.Annotations {
		if name == "" {
			k.item("annotations", name).bad("", nil, "a key must not be empty").onKey()
		}
	}
}

// linux is the Linux part of the configuration, empty if there is none.
func linux(s *specs.Spec) *specs.Linux {
	if s == nil || s.Linux == nil {
		return new(specs.Linux)
	}
	return s.Linux
}

// root is config.md, Root. Whether the directory exists is for those to say who open it.
func (k checker) root(r *specs.Root) {
	switch {
	case r == nil:
		k.bad("root", nil, "is missing, and is REQUIRED by the spec")
	case r.Path == "":
		k.bad("root.path", nil, "is missing or empty")
	}
}

// names is config.md, Hostname and Domainname. uname(2) has room for 64 bytes each.
func (k checker) names(s *specs.Spec, l *specs.Linux) {
	const most = 64
	for _, n := range [...]struct{ field, value string }{{"hostname", s.Hostname}, {"domainname", s.Domainname}} {
		if n.value == "" {
			continue
		}
		if len(n.value) > most {
			k.bad(n.field, n.value, "is longer than %d bytes", most)
		}
		if _, ok := namespace(l, specs.UTSNamespace); !ok {
			k.bad(n.field, n.value, "would change the host, for the container has no UTS namespace").
				hint(addNamespace(specs.UTSNamespace))
		}
	}
}

// absolute reports a path that does not begin at the root.
func (k checker) absolute(field, value string) {
	switch {
	case value == "":
		k.bad(field, nil, "is missing or empty")
	case !path.IsAbs(value):
		k.bad(field, value, "must be an absolute path")
	}
}

// oneLine reports a value that would become two lines in a file of the kernel.
func (k checker) oneLine(field, value string) {
	if strings.ContainsAny(value, "\n\r") {
		k.bad(field, value, "must not contain a line break")
	}
}

// noNUL reports all strings of v, which was read from raw, that hold a NUL byte: to the kernel they
// would end there. What only goes into JSON again may hold one.
func (k checker) noNUL(raw []byte, v any) {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return // a NUL byte as such is not JSON
	}
	known, err := json.Marshal(v) // the members that hull knows, and only those
	if err != nil {
		return
	}
	walk(known, func(path []byte, m mark) {
		at := string(path)
		if strings.HasPrefix(at, "annotations") || at == "linux.seccomp.listenerMetadata" {
			return
		}
		if key := stringAt(known, m.key); m.key != m.value && strings.Contains(key, "\x00") {
			k.bad(at, nil, "the key contains a NUL byte").onKey()
		}
		if value := stringAt(known, m.value); strings.Contains(value, "\x00") && !k.has(at) {
			k.bad(at, value, "contains a NUL byte")
		}
	})
}

// stringAt is the string at offset, "" if that is something else.
func stringAt(raw []byte, offset int) string {
	if raw[offset] != '"' {
		return ""
	}
	w := walker{raw: raw, off: offset}
	return unquote(w.str())
}
