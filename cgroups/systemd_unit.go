package cgroups

import (
	"fmt"
	"strings"
)

// unit is what linux.cgroupsPath means to systemd: a scope, and its slice.
type unit struct{ slice, name string }

// parseUnit reads slice:prefix:name, which engines use in the place of a path.
// The slice is system.slice, or a user's user.slice, if it is left out, and
// the root slice if it is `-`.
func parseUnit(path, id string, user bool) (unit, error) {
	bad := func(fact string) (unit, error) { return unit{}, fmt.Errorf("linux.cgroupsPath (%q): %s", path, fact) }
	parts := []string{"", "hull", id}
	if path != "" {
		parts = strings.Split(path, ":")
	}
	if len(parts) != 3 {
		return bad("must be slice:prefix:name, as systemd manages the cgroups")
	}
	slice, prefix, name := parts[0], parts[1], parts[2]
	switch {
	case slice == "" && user:
		slice = "user.slice"
	case slice == "":
		slice = "system.slice"
	case slice == "-":
		slice = "-.slice"
	}
	if stem, ok := strings.CutSuffix(slice, ".slice"); !ok || !goodSlice(stem) {
		return bad("the slice must be a name such as a.slice or a-b.slice")
	}
	if name == "" {
		return bad("the name is missing")
	}
	if strings.HasSuffix(name, ".slice") {
		return bad("a slice has no processes: a container needs a scope")
	}
	if prefix != "" {
		name = prefix + "-" + name
	}
	u := unit{slice, escape(strings.TrimSuffix(name, ".scope")) + ".scope"}
	if len(u.name) > 255 {
		return bad("makes a unit name of more than 255 letters: " + u.name)
	}
	return u, nil
}

// goodSlice says that a name without `.slice` is one, systemd.slice(5).
func goodSlice(stem string) bool {
	if stem == "-" {
		return true
	}
	return escape(stem) == stem && stem != "" && !strings.HasPrefix(stem, "-") && !strings.HasSuffix(stem, "-") && !strings.Contains(stem, "--")
}

// escape makes the letters that a unit name cannot have into \xHH, systemd.unit(5).
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(":_.-@\\", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}

// path is the unit's cgroup below the manager's: a slice a-b.slice lies in
// a.slice, systemd.slice(5).
func (u unit) path() string {
	var b strings.Builder
	stem := strings.TrimSuffix(u.slice, ".slice")
	for i := range len(stem) {
		if stem[i] == '-' && i > 0 {
			b.WriteString("/" + stem[:i] + ".slice")
		}
	}
	if stem != "-" {
		b.WriteString("/" + u.slice)
	}
	return b.String() + "/" + cgroupEscape(u.name)
}

// cgroupEscape is what systemd makes of a unit's name that could be taken for
// a file of cgroupfs. Only a hidden file can begin a scope's name so.
func cgroupEscape(name string) string {
	if strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "cgroup.") {
		return "_" + name
	}
	return name
}
