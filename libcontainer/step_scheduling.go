package libcontainer

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/specconv"
)

// stepScheduling sets what a process inherits through exec of how it is
// scheduled and where its memory comes from.
func stepScheduling(b *build) error {
	for _, set := range []func() error{b.scheduler, b.ioPriority, b.personality, b.memoryPolicy} {
		if err := set(); err != nil {
			return err
		}
	}
	return nil
}

// scheduler is process.scheduler. sched_setattr(2)
func (b *build) scheduler() error {
	if b.process.Scheduler == nil {
		return nil
	}
	attr, err := specconv.Scheduler(b.process.Scheduler)
	if err != nil {
		return err
	}
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	b.At("process.scheduler", string(b.process.Scheduler.Policy))
	if r := resources(b.spec); b.verb == creating && r != nil && r.CPU != nil && r.CPU.RealtimeRuntime != nil {
		// The parent answers when the limits are set: without real-time processor time of the
		// cgroup's there is no real-time policy.
		b.Ask("wait for the cgroup's limits", nil, func(*plan.Call) error { return nil })
	}
	b.Syscall("sched_setattr", unix.SYS_SCHED_SETATTR, plan.N(0), plan.Bytes(raw), plan.N(0)).
		Because(unix.EPERM, "the scheduling policy needs CAP_SYS_NICE on the host, or a higher RLIMIT_RTPRIO").
		Because(unix.EOPNOTSUPP, "this kernel clamps no utilization (SCHED_FLAG_UTIL_CLAMP_MIN and MAX)")
	return nil
}

// ioPriority is process.ioPriority. ioprio_set(2)
func (b *build) ioPriority() error {
	if b.process.IOPriority == nil {
		return nil
	}
	value, err := specconv.IOPriority(b.process.IOPriority)
	if err != nil {
		return err
	}
	const whoProcess = 1 // IOPRIO_WHO_PROCESS
	b.At("process.ioPriority", string(b.process.IOPriority.Class))
	b.Syscall("ioprio_set", unix.SYS_IOPRIO_SET, plan.N(whoProcess), plan.N(0), plan.N(value))
	return nil
}

// personality is linux.personality. personality(2)
func (b *build) personality() error {
	l := b.spec.Linux
	if l == nil || l.Personality == nil {
		return nil
	}
	value, err := specconv.Personality(l.Personality.Domain, l.Personality.Flags)
	if err != nil {
		return err
	}
	b.At("linux.personality", string(l.Personality.Domain))
	b.Syscall("personality", unix.SYS_PERSONALITY, plan.N(value))
	return nil
}

// memoryPolicy is linux.memoryPolicy. set_mempolicy(2)
func (b *build) memoryPolicy() error {
	l := b.spec.Linux
	if l == nil || l.MemoryPolicy == nil {
		return nil
	}
	mode, nodes, err := specconv.MemoryPolicy(l.MemoryPolicy)
	if err != nil {
		return err
	}
	mask, bits := plan.N(0), 0
	if len(nodes) > 0 {
		mask = plan.Bytes(unsafe.Slice((*byte)(unsafe.Pointer(&nodes[0])), 8*len(nodes)))
		bits = 64*len(nodes) + 1 // the call ignores the last bit of what it is told
	}
	b.At("linux.memoryPolicy", string(l.MemoryPolicy.Mode))
	b.Syscall("set_mempolicy", unix.SYS_SET_MEMPOLICY, plan.N(mode), mask, plan.N(bits)).
		Because(unix.ENOSYS, "this kernel has no NUMA support").
		Because(unix.EINVAL, "the policy, its flags or its nodes do not fit this machine")
	return nil
}
