package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	urfave "github.com/urfave/cli/v2"
)

// limitFlags are one flag for each limit that update changes without a file.
func limitFlags() []urfave.Flag {
	return []urfave.Flag{
		&urfave.UintFlag{Name: "blkio-weight", Usage: "share of block I/O, 10 to 1000"},
		&urfave.Uint64Flag{Name: "cpu-period", Usage: "length of a CPU period in `MICROSECONDS`"},
		&urfave.Int64Flag{Name: "cpu-quota", Usage: "CPU time per period in `MICROSECONDS`, -1 for no limit"},
		&urfave.Uint64Flag{Name: "cpu-burst", Usage: "CPU time saved up for later periods, at most, in `MICROSECONDS`"},
		&urfave.Uint64Flag{Name: "cpu-share", Usage: "share of CPU time"},
		&urfave.Uint64Flag{Name: "cpu-rt-period", Usage: "length of a real-time CPU period in `MICROSECONDS`"},
		&urfave.Int64Flag{Name: "cpu-rt-runtime", Usage: "real-time CPU time per period in `MICROSECONDS`"},
		&urfave.Int64Flag{Name: "cpu-idle", Usage: "1 for CPU time that nobody else wants, 0 for ordinary scheduling"},
		&urfave.StringFlag{Name: "cpuset-cpus", Usage: "`CPUS` to run on, such as 0-3,7"},
		&urfave.StringFlag{Name: "cpuset-mems", Usage: "memory `NODES` to use, such as 0-1"},
		&urfave.StringFlag{Name: "memory", Usage: "memory limit in `BYTES`, with k, m, g or t; -1 for none"},
		&urfave.StringFlag{Name: "memory-reservation", Usage: "memory that is left alone while others have more, in `BYTES`"},
		&urfave.StringFlag{Name: "memory-swap", Usage: "memory and swap limit together, in `BYTES`; -1 for none"},
		&urfave.StringFlag{Name: "kernel-memory", Hidden: true},
		&urfave.StringFlag{Name: "kernel-memory-tcp", Hidden: true},
		&urfave.StringFlag{Name: "l3-cache-schema", Usage: "`SCHEMA` of Intel RDT for the cache, such as L3:0=f0;1=f"},
		&urfave.StringFlag{Name: "mem-bw-schema", Usage: "`SCHEMA` of Intel RDT for memory bandwidth, such as MB:0=20;1=70"},
		&urfave.Int64Flag{Name: "pids-limit", Usage: "number of processes and threads; -1 for no limit"},
	}
}

// limits are the flags of limitFlags as linux.resources: what was not given is not in it.
func limits(c *urfave.Context) (*specs.LinuxResources, error) {
	r := &specs.LinuxResources{CPU: cpuLimits(c)}
	if c.IsSet("blkio-weight") {
		weight := c.Uint("blkio-weight")
		if weight > math.MaxUint16 {
			return nil, misused(c, "--blkio-weight %d: must be between 10 and 1000", weight)
		}
		w := uint16(weight)
		r.BlockIO = &specs.LinuxBlockIO{Weight: &w}
	}
	if c.IsSet("pids-limit") {
		r.Pids = &specs.LinuxPids{Limit: given(c, "pids-limit", c.Int64)}
	}
	for _, name := range []string{"kernel-memory", "kernel-memory-tcp"} {
		if c.IsSet(name) {
			slog.Warn("--" + name + " has no effect: kernels limit kernel memory with the rest")
		}
	}
	var err error
	if r.Memory, err = memoryLimits(c); err != nil {
		return nil, err
	}
	schemata := c.IsSet("l3-cache-schema") || c.IsSet("mem-bw-schema")
	if r.CPU == nil && r.Memory == nil && r.Pids == nil && r.BlockIO == nil && !schemata {
		return nil, misused(c, "nothing to change: give --resources or a limit")
	}
	return r, nil
}

func cpuLimits(c *urfave.Context) *specs.LinuxCPU {
	cpu := &specs.LinuxCPU{
		Period:          given(c, "cpu-period", c.Uint64),
		Quota:           given(c, "cpu-quota", c.Int64),
		Burst:           given(c, "cpu-burst", c.Uint64),
		Shares:          given(c, "cpu-share", c.Uint64),
		RealtimePeriod:  given(c, "cpu-rt-period", c.Uint64),
		RealtimeRuntime: given(c, "cpu-rt-runtime", c.Int64),
		Idle:            given(c, "cpu-idle", c.Int64),
		Cpus:            c.String("cpuset-cpus"),
		Mems:            c.String("cpuset-mems"),
	}
	if *cpu == (specs.LinuxCPU{}) {
		return nil
	}
	return cpu
}

// given is the value of a flag, nil if it was not given.
func given[T any](c *urfave.Context, name string, value func(string) T) *T {
	if !c.IsSet(name) {
		return nil
	}
	v := value(name)
	return &v
}

func memoryLimits(c *urfave.Context) (*specs.LinuxMemory, error) {
	m := &specs.LinuxMemory{}
	for _, f := range []struct {
		name string
		to   **int64
	}{
		{"memory", &m.Limit},
		{"memory-reservation", &m.Reservation},
		{"memory-swap", &m.Swap},
	} {
		if !c.IsSet(f.name) {
			continue
		}
		n, err := parseBytes(c.String(f.name))
		if err != nil {
			return nil, misused(c, "--%s: %w", f.name, err)
		}
		*f.to = &n
	}
	if *m == (specs.LinuxMemory{}) {
		return nil, nil //nolint:nilnil // no limit was given
	}
	return m, nil
}

// parseBytes reads an amount of memory: -1, or a number with an optional k, m,
// g, t or p for powers of 1024, which b or ib may follow.
func parseBytes(word string) (int64, error) {
	if word == "-1" {
		return -1, nil
	}
	unit := strings.TrimLeft(word, "0123456789")
	n, err := strconv.ParseUint(word[:len(word)-len(unit)], 10, 63)
	shift, ok := bytesShift(strings.ToLower(unit)) // which may have another length
	switch {
	case errors.Is(err, strconv.ErrRange), ok && n > math.MaxInt64>>shift:
		return 0, fmt.Errorf("%q is more than fits 63 bits", word)
	case err != nil, !ok:
		return 0, fmt.Errorf("%q is no amount of memory such as 64m, and not -1", word)
	}
	return int64(n << shift), nil //nolint:gosec // fits, see above
}

// bytesShift is the power of two of a unit.
func bytesShift(unit string) (int, bool) {
	if unit == "" || unit == "b" {
		return 0, true
	}
	power := strings.IndexByte("kmgtp", unit[0])
	rest := unit[1:]
	return 10 * (power + 1), power >= 0 && (rest == "" || rest == "b" || rest == "ib")
}
