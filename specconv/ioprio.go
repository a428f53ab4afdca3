package specconv

import (
	"github.com/opencontainers/runtime-spec/specs-go"
)

// The numbers are those of linux/ioprio.h.
var ioClasses = [...]word{
	{string(specs.IOPRIO_CLASS_RT), 1},
	{string(specs.IOPRIO_CLASS_BE), 2},
	{string(specs.IOPRIO_CLASS_IDLE), 3},
}

// IOPriorityClassNames lists the words for process.ioPriority.class.
func IOPriorityClassNames() []string { return names(ioClasses[:]) }

// IOPriority is the number for ioprio_set(2): class and priority in one.
func IOPriority(p *specs.LinuxIOPriority) (int, error) {
	k := newChecker()
	value := k.ioPriority(p)
	return value, k.err()
}

func (k checker) ioPriority(p *specs.LinuxIOPriority) int {
	const classShift = 13
	class, ok := number(ioClasses[:], string(p.Class))
	if !ok {
		k.bad("class", p.Class, "is not an I/O scheduling class").oneOf(IOPriorityClassNames())
	}
	if p.Priority < 0 || p.Priority > 7 {
		k.bad("priority", p.Priority, "must be between 0 and 7")
	}
	return int(class)<<classShift | p.Priority //nolint:gosec // the class is at most 3
}
