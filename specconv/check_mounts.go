package specconv

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// mounts is config.md, Mounts, as far as LowerMount does not check it.
func (k checker) mounts(mounts []specs.Mount, l *specs.Linux) {
	user, inUserns := namespace(l, specs.UserNamespace)
	for i := range mounts {
		m := &mounts[i]
		k := k.at("mounts", i)
		low := lowerMount(k, m)
		k.idMap("uidMappings", m.UIDMappings)
		k.idMap("gidMappings", m.GIDMappings)
		if low.IDMap && len(m.UIDMappings)+len(m.GIDMappings) == 0 && !inUserns {
			k.bad("", nil, "is to be mapped, but has no uidMappings and gidMappings, and there is no user namespace to take them from")
		}
		if inUserns && user.Path == "" && (m.Type == "tmpfs" || m.Type == "devpts") {
			k.mountOwner(m.Options, l)
		}
	}
}

// mountOwner reports the options uid= and gid= of file systems that read them in the container's user
// namespace, where the id may not exist: the kernel would only say EINVAL.
func (k checker) mountOwner(options []string, l *specs.Linux) {
	for i, option := range options {
		name, value, _ := strings.Cut(option, "=")
		id, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			continue
		}
		field := "options[" + strconv.Itoa(i) + "]"
		switch name {
		case "uid":
			k.mapped(field, uint32(id), "linux.uidMappings", l.UIDMappings)
		case "gid":
			k.mapped(field, uint32(id), "linux.gidMappings", l.GIDMappings)
		}
	}
}
