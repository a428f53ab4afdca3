package specconv

import (
	"fmt"
	"math"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// SCHED_ISO is a word of the spec too, but no kernel has had that policy.
var schedPolicies = [...]word{
	{string(specs.SchedOther), unix.SCHED_NORMAL},
	{string(specs.SchedFIFO), unix.SCHED_FIFO},
	{string(specs.SchedRR), unix.SCHED_RR},
	{string(specs.SchedBatch), unix.SCHED_BATCH},
	{string(specs.SchedIdle), unix.SCHED_IDLE},
	{string(specs.SchedDeadline), unix.SCHED_DEADLINE},
}

var schedFlags = [...]word{
	{string(specs.SchedFlagResetOnFork), unix.SCHED_FLAG_RESET_ON_FORK},
	{string(specs.SchedFlagReclaim), unix.SCHED_FLAG_RECLAIM},
	{string(specs.SchedFlagDLOverrun), unix.SCHED_FLAG_DL_OVERRUN},
	{string(specs.SchedFlagKeepPolicy), unix.SCHED_FLAG_KEEP_POLICY},
	{string(specs.SchedFlagKeepParams), unix.SCHED_FLAG_KEEP_PARAMS},
	{string(specs.SchedFlagUtilClampMin), unix.SCHED_FLAG_UTIL_CLAMP_MIN},
	{string(specs.SchedFlagUtilClampMax), unix.SCHED_FLAG_UTIL_CLAMP_MAX},
}

// SchedPolicyNames lists the words for process.scheduler.policy that hull knows.
func SchedPolicyNames() []string { return names(schedPolicies[:]) }

// SchedFlagNames lists the words for process.scheduler.flags.
func SchedFlagNames() []string { return names(schedFlags[:]) }

// Scheduler is what sched_setattr(2) is to be called with.
func Scheduler(s *specs.Scheduler) (unix.SchedAttr, error) {
	k := newChecker()
	attr := k.scheduler(s)
	return attr, k.err()
}

// scheduler is config.md, Linux Process, with the rules that sched(7) adds.
func (k checker) scheduler(s *specs.Scheduler) unix.SchedAttr {
	attr := unix.SchedAttr{
		Size:     unix.SizeofSchedAttr,
		Nice:     s.Nice,
		Priority: uint32(max(s.Priority, 0)),
		Runtime:  s.Runtime,
		Deadline: s.Deadline,
		Period:   s.Period,
	}
	policy, ok := number(schedPolicies[:], string(s.Policy))
	switch {
	case s.Policy == specs.SchedISO:
		k.bad("policy", s.Policy, "is a policy that Linux does not have").oneOf(SchedPolicyNames())
	case !ok:
		k.bad("policy", s.Policy, "is not a scheduling policy").oneOf(SchedPolicyNames())
	default:
		k.schedPolicy(s)
	}
	attr.Policy = uint32(policy) //nolint:gosec // a small number
	for i, name := range s.Flags {
		flag, ok := number(schedFlags[:], string(name))
		if !ok {
			k.bad(fmt.Sprintf("flags[%d]", i), name, "is not a scheduling flag").oneOf(SchedFlagNames())
		}
		attr.Flags |= flag
	}
	if s.Nice < -20 || s.Nice > 19 {
		k.bad("nice", s.Nice, "must be between -20 and 19")
	}
	return attr
}

// schedPolicy checks the numbers that mean something to one policy only.
func (k checker) schedPolicy(s *specs.Scheduler) {
	switch s.Policy {
	case specs.SchedFIFO, specs.SchedRR:
		if s.Priority < 1 || s.Priority > 99 {
			k.bad("priority", s.Priority, "must be between 1 and 99 with %s", s.Policy)
		}
	default:
		if s.Priority != 0 {
			k.bad("priority", s.Priority, "has no meaning with %s", s.Policy).
				hint("it goes with SCHED_FIFO and SCHED_RR")
		}
	}
	if s.Policy == specs.SchedDeadline {
		k.deadline(s)
		return
	}
	for _, n := range [...]struct {
		field string
		value uint64
	}{{"runtime", s.Runtime}, {"deadline", s.Deadline}, {"period", s.Period}} {
		if n.value != 0 {
			k.bad(n.field, n.value, "has no meaning with %s", s.Policy).hint("it goes with SCHED_DEADLINE")
		}
	}
}

// deadline checks what the kernel does in __checkparam_dl: runtime <= deadline <= period, none of them
// below its clock's grain or beyond 63 bits. A period of 0 stands for the deadline.
func (k checker) deadline(s *specs.Scheduler) {
	const grain = 1024 // ns
	switch {
	case s.Runtime < grain:
		k.bad("runtime", s.Runtime, "must be at least %d ns with SCHED_DEADLINE", grain)
	case s.Deadline < s.Runtime:
		k.bad("deadline", s.Deadline, "must not be less than the runtime, %d", s.Runtime)
	case s.Deadline > math.MaxInt64:
		k.bad("deadline", s.Deadline, "is more than %d", math.MaxInt64)
	case s.Period != 0 && s.Period < s.Deadline:
		k.bad("period", s.Period, "must not be less than the deadline, %d", s.Deadline)
	case s.Period > math.MaxInt64:
		k.bad("period", s.Period, "is more than %d", math.MaxInt64)
	}
}
