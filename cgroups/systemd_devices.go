package cgroups

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"hull/internal/dbus"
)

// deviceProperties tell systemd what cgroup v1 is to hold, so that it writes
// the same when it is reloaded.
func deviceProperties(set deviceSet) []property {
	policy, allowed := "strict", []any{}
	if set.allowAll {
		policy = "auto" // without a list: all
	} else {
		for _, e := range set.exceptions {
			if name := deviceSpec(e); name != "" {
				allowed = append(allowed, []any{name, accessText(e.access)})
			}
		}
	}
	return []property{
		{"DevicePolicy", dbus.Variant{Signature: "s", Value: policy}},
		{"DeviceAllow", dbus.Variant{Signature: "a(ss)", Value: []any{}}}, // forgets what was there
		{"DeviceAllow", dbus.Variant{Signature: "a(ss)", Value: allowed}},
	}
}

// deviceSpec is systemd's name for the devices of an exception,
// systemd.resource-control(5), "DeviceAllow=": a node, or a driver's name from
// /proc/devices. It has none for one minor number of all drivers, and needs
// none for a driver that is not there.
func deviceSpec(e exception) string {
	kind := map[byte]string{'b': "block", 'c': "char"}[e.kind]
	switch {
	case e.major == anyNumber && e.minor == anyNumber:
		return kind + "-*"
	case e.major == anyNumber:
		return ""
	case e.minor == anyNumber:
		text, err := os.ReadFile("/proc/devices")
		if name := driver(string(text), e.kind, e.major); err == nil && name != "" {
			return kind + "-" + name
		}
		return ""
	default:
		return fmt.Sprintf("/dev/%s/%d:%d", kind, e.major, e.minor)
	}
}

// driver finds a driver in /proc/devices, proc_devices(5).
func driver(text string, kind byte, major int64) string {
	block := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "Block devices:") {
			block = true
		}
		number, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if block == (kind == 'b') && number == strconv.FormatInt(major, 10) {
			return name
		}
	}
	return ""
}
