package libcontainer

import (
	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// process.execCPUAffinity: config.md says initial is for the time before the
// process is in the container's cgroup, final for afterwards. sched_setaffinity(2)

// startsOutside says whether exec's process has something to do before it is in the cgroup, whose
// cpuset holds from birth.
func (b *build) startsOutside() bool {
	return b.process.ExecCPUAffinity != nil && b.process.ExecCPUAffinity.Initial != ""
}

func stepInitialAffinity(b *build) error {
	if a := b.process.ExecCPUAffinity; a != nil {
		return b.affinity("process.execCPUAffinity.initial", a.Initial)
	}
	return nil
}

func stepFinalAffinity(b *build) error {
	if a := b.process.ExecCPUAffinity; a != nil {
		return b.affinity("process.execCPUAffinity.final", a.Final)
	}
	return nil
}

func (b *build) affinity(field, list string) error {
	if list == "" {
		return nil
	}
	mask, err := specconv.CPUList(list)
	if err != nil {
		return err
	}
	b.At(field, list)
	b.Syscall("sched_setaffinity", unix.SYS_SCHED_SETAFFINITY, plan.N(0), plan.N(len(mask)), plan.Bytes(mask)).
		Because(unix.EINVAL, "none of these CPUs is online, or in the container's cpuset")
	return nil
}
