package specconv

import (
	"fmt"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var clocks = [...]word{
	{"monotonic", unix.CLOCK_MONOTONIC},
	{"boottime", unix.CLOCK_BOOTTIME},
}

// TimeOffsets is the text for /proc/PID/timens_offsets; see time_namespaces(7). The clocks are given as
// numbers, for Linux 5.6 does not know their names there.
func TimeOffsets(offsets map[string]specs.LinuxTimeOffset) string {
	var b strings.Builder
	for _, clock := range clocks {
		if o, ok := offsets[clock.name]; ok {
			fmt.Fprintf(&b, "%d %d %d\n", clock.number, o.Secs, o.Nanosecs)
		}
	}
	return b.String()
}

// timeOffsets is config-linux.md, Offset for Time Namespace.
func (k checker) timeOffsets(l *specs.Linux) {
	const (
		second = 1_000_000_000            // ns
		most   = (1<<63 - 1) / second / 2 // the kernel's KTIME_SEC_MAX / 2
	)
	if len(l.TimeOffsets) == 0 {
		return
	}
	switch ns, ok := namespace(l, specs.TimeNamespace); {
	case !ok:
		k.bad("timeOffsets", nil, "has no effect without a time namespace").hint(addNamespace(specs.TimeNamespace))
	case ns.Path != "":
		k.bad("timeOffsets", nil, "cannot be set in a time namespace that is joined: %s", ns.Path)
	}
	for name, o := range l.TimeOffsets {
		k := k.item("timeOffsets", name)
		if _, ok := number(clocks[:], name); !ok {
			k.bad("", nil, "is not a clock with an offset").onKey().oneOf(names(clocks[:]))
		}
		if o.Nanosecs >= second {
			k.bad("nanosecs", o.Nanosecs, "is a second or more")
		}
		if o.Secs > most || o.Secs < -most {
			k.bad("secs", o.Secs, "is more than the %d seconds that Linux can count", most)
		}
	}
}
