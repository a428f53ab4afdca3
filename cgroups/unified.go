package cgroups

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// unified sets linux.resources.unified, config-linux.md, "Unified": any file
// of cgroup v2, after everything else so that it has the last word. A value may
// have several lines; the kernel takes one a write.
func unified(r *specs.LinuxResources) ([]setting, error) {
	var list []setting
	for _, file := range slices.Sorted(maps.Keys(r.Unified)) {
		field := "linux.resources.unified." + file
		if name, _, ok := strings.Cut(file, "."); !ok || name == "" || strings.ContainsAny(file, "/\x00") {
			return nil, fmt.Errorf("linux.resources.unified (%q): must be the name of a cgroup v2 file, such as memory.high", file)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(r.Unified[file], "\n"), "\n") {
			list = append(list, setting{field: field, file: file, value: line})
		}
	}
	return list, nil
}
