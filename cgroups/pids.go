package cgroups

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// pids sets linux.resources.pids.limit, config-linux.md, "PIDs": -1 is no
// limit, and 0 is a limit as any other (no process may fork).
func pids(r *specs.LinuxResources, _ *dir) ([]setting, error) {
	if r.Pids == nil || r.Pids.Limit == nil {
		return nil, nil
	}
	const field = "linux.resources.pids.limit"
	if *r.Pids.Limit < -1 {
		return nil, unsupported(field, *r.Pids.Limit, "must be a number of processes, or -1 for no limit")
	}
	return []setting{{field: field, file: "pids.max", value: limit(*r.Pids.Limit)}}, nil
}
