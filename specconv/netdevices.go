package specconv

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// NetDevicePath is the JSON path of the device that is called name on the host.
func NetDevicePath(name string) string {
	return checker{}.in("linux").item("netDevices", name).prefix
}

// netDevices is config-linux.md, Network Devices.
func (k checker) netDevices(l *specs.Linux, h Host) {
	if len(l.NetDevices) == 0 {
		return
	}
	if h.Rootless {
		k.bad("netDevices", nil, "only root can take network devices from the host")
	}
	if _, ok := namespace(l, specs.NetworkNamespace); !ok {
		k.bad("netDevices", nil, "the container has no network namespace to move them to").
			hint(addNamespace(specs.NetworkNamespace))
	}
	taken := map[string]string{}
	for _, host := range slices.Sorted(maps.Keys(l.NetDevices)) {
		all := k
		k := k.item("netDevices", host)
		if fact := interfaceName(host); fact != "" {
			k.bad("", nil, "the name of the network device %s", fact).onKey()
			continue
		}
		name, field := l.NetDevices[host].Name, "name"
		if name == "" {
			name, field = host, ""
		}
		fact := interfaceName(name)
		before, after, template := strings.Cut(name, "%d")
		if fact == "" && field != "" && strings.Contains(before+after, "%") {
			fact = "may contain a % only in one %d, which makes it a template"
		}
		if fact != "" {
			k.bad(field, name, "%s", fact)
			continue
		}
		if other, ok := taken[name]; ok && !template {
			k.bad(field, name, "is to be the name of %s too", all.item("netDevices", other).prefix)
		}
		taken[name] = host
	}
}

// interfaceName says what keeps name from being that of a network device, after the kernel's dev_valid_name.
func interfaceName(name string) string {
	const most = 15 // IFNAMSIZ without the NUL
	switch {
	case name == "":
		return "is missing or empty"
	case len(name) > most:
		return "is longer than 15 bytes"
	case name == "." || name == "..":
		return "must not be . or .."
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' || r == ':' }):
		return "must not contain slashes, colons, spaces or control characters"
	}
	return ""
}
