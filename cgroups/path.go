package cgroups

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// cleanPath checks linux.cgroupsPath (config-linux.md, "Cgroups Path") and
// puts the container's id in the place of an empty one.
//
// `..` is refused rather than resolved: no engine sends it, and what it
// would mean above a mount's root nobody can say. The top of a hierarchy is
// refused because it belongs to the host: limits there would fail or hit
// everybody, and killing the container would kill everybody.
func cleanPath(path, id string) (string, error) {
	if path == "" {
		path = id
	}
	bad := func(fact string) (string, error) {
		return "", fmt.Errorf("linux.cgroupsPath (%q): %s", path, fact)
	}
	switch clean := filepath.Clean(path); {
	case slices.Contains(strings.Split(path, "/"), ".."):
		return bad("must not contain `..`")
	case strings.ContainsAny(path, "\x00\n"):
		return bad("must not contain a newline or a zero byte")
	case clean == "/" || clean == ".":
		return bad("names the top of the hierarchy: a container needs a cgroup of its own")
	default:
		return clean, nil
	}
}

// locate is the directory in m of the clean path. An absolute one lies below
// the mount's top. A relative one lies below our own cgroup on v1 and beside it
// on v2, where a cgroup with processes, such as ours, cannot give controllers
// to its children (cgroups(7), "no internal processes"). runc chooses the same.
func (h *Host) locate(m Mount, path string) (string, error) {
	if filepath.IsAbs(path) {
		return m.Dir + path, nil
	}
	own, err := h.ownCgroup(m)
	if err != nil {
		return "", fmt.Errorf("linux.cgroupsPath (%q): a relative path begins at the runtime's own cgroup: %w", path, err)
	}
	if m.Unified && h.V2 {
		own = filepath.Dir(own)
	}
	return filepath.Join(m.Dir, own, path), nil
}
