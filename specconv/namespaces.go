package specconv

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// In the order in which clone(2) has got them.
var namespaceTypes = [...]word{
	{string(specs.MountNamespace), unix.CLONE_NEWNS},
	{string(specs.UTSNamespace), unix.CLONE_NEWUTS},
	{string(specs.IPCNamespace), unix.CLONE_NEWIPC},
	{string(specs.PIDNamespace), unix.CLONE_NEWPID},
	{string(specs.NetworkNamespace), unix.CLONE_NEWNET},
	{string(specs.UserNamespace), unix.CLONE_NEWUSER},
	{string(specs.CgroupNamespace), unix.CLONE_NEWCGROUP},
	{string(specs.TimeNamespace), unix.CLONE_NEWTIME},
}

// NamespaceNames lists the types of namespaces.
func NamespaceNames() []string { return names(namespaceTypes[:]) }

// NamespaceFlag is the flag of clone(2), unshare(2) and setns(2) for a type of namespace.
func NamespaceFlag(t specs.LinuxNamespaceType) (uintptr, bool) {
	flag, ok := number(namespaceTypes[:], string(t))
	return uintptr(flag), ok
}

// namespace is the first entry of that type.
func namespace(l *specs.Linux, t specs.LinuxNamespaceType) (specs.LinuxNamespace, bool) {
	for _, ns := range l.Namespaces {
		if ns.Type == t {
			return ns, true
		}
	}
	return specs.LinuxNamespace{}, false
}

func addNamespace(t specs.LinuxNamespaceType) string {
	return fmt.Sprintf(`add {"type": %q} to linux.namespaces`, t)
}

// namespaces is config-linux.md, Namespaces.
func (k checker) namespaces(l *specs.Linux, h Host) {
	first := map[specs.LinuxNamespaceType]int{}
	for i, ns := range l.Namespaces {
		k := k.at("namespaces", i)
		if _, ok := NamespaceFlag(ns.Type); !ok {
			k.bad("type", ns.Type, "is not a type of namespace").oneOf(NamespaceNames())
			continue
		}
		if j, ok := first[ns.Type]; ok {
			k.bad("type", ns.Type, "is given twice: by linux.namespaces[%d] too", j)
			continue
		}
		first[ns.Type] = i
		if ns.Path != "" {
			k.absolute("path", ns.Path)
		}
	}
	k.userNamespace(l, h)
	k.timeOffsets(l)
	if _, ok := first[specs.MountNamespace]; ok {
		return
	}
	for _, paths := range [...]struct {
		field string
		list  []string
	}{{"maskedPaths", l.MaskedPaths}, {"readonlyPaths", l.ReadonlyPaths}} {
		if len(paths.list) > 0 {
			k.bad(paths.field, nil, "would change the host, for the container has no mount namespace").
				hint(addNamespace(specs.MountNamespace))
		}
	}
}

// userNamespace is config-linux.md, User namespace mappings. A namespace that is joined has its mappings;
// engines repeat them in the configuration, and only a look at the namespace tells whether they agree.
func (k checker) userNamespace(l *specs.Linux, h Host) {
	ns, ok := namespace(l, specs.UserNamespace)
	if !ok && h.Rootless && !h.Root {
		k.bad("namespaces", nil, "there is no user namespace, which is needed unless hull runs as root").
			hint(addNamespace(specs.UserNamespace) + ", or start from `hull spec --rootless`")
	}
	for _, m := range [...]struct {
		field   string
		mapping []specs.LinuxIDMapping
	}{{"uidMappings", l.UIDMappings}, {"gidMappings", l.GIDMappings}} {
		switch {
		case !ok && len(m.mapping) > 0:
			k.bad(m.field, nil, "has no effect without a user namespace").hint(addNamespace(specs.UserNamespace))
		case ok && ns.Path == "" && len(m.mapping) == 0:
			k.bad(m.field, nil, "is missing or empty: no id would exist in the new user namespace")
		}
		k.idMap(m.field, m.mapping)
	}
}
