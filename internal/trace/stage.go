package trace

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Op is an operation of the stage, as a trace names it.
type Op struct{ Step, Name, Field, Target string }

// Times is memory that a stage shares with us, in which it notes when each of
// its operations ended: nanoseconds in 8 bytes for each, after those of the
// beginning. What it has not come to is 0.
type Times struct {
	File   *os.File // for the stage to map
	memory []byte
	ops    []Op
}

// NewTimes makes the memory for a stage with the operations ops.
func NewTimes(ops []Op) (*Times, error) {
	fd, err := unix.MemfdCreate("hull-times", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("--trace: memfd_create: %w", err)
	}
	t := &Times{File: os.NewFile(uintptr(fd), "times"), ops: ops}
	size := 8 * (len(ops) + 1)
	if err = unix.Ftruncate(fd, int64(size)); err == nil {
		t.memory, err = unix.Mmap(fd, 0, size, unix.PROT_READ, unix.MAP_SHARED)
	}
	if err != nil {
		t.File.Close()
		return nil, fmt.Errorf("--trace: shared memory: %w", err)
	}
	return t, nil
}

func (t *Times) at(i int) time.Time {
	n := binary.NativeEndian.Uint64(t.memory[8*i:])
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n)) //nolint:gosec // until the year 2262
}

// Done records what the process pid has noted, and is the memory's end. When
// the user's program has begun to run, that was at end; else end is zero.
func (t *Times) Done(pid int, end time.Time) {
	defer func() {
		_ = unix.Munmap(t.memory)
		t.File.Close()
	}()
	if record == nil || t.at(0).IsZero() {
		return
	}
	last := len(t.ops)
	for last > 0 && t.at(last).IsZero() {
		last--
	}
	steps := stepper{pid: pid, at: t.at(0)}
	for i, op := range t.ops[:last] {
		if now := t.at(i + 1); !now.IsZero() { // else the plan went around it
			steps.add(op, now, nil)
		}
	}
	if end.IsZero() {
		steps.close()
		return
	}
	// From the seccomp filter on, which may forbid to look at the clock, the
	// operations have no times of their own: the first stands for all.
	for _, op := range t.ops[last:] {
		if op.Name == "" { // before start has released it
			continue
		}
		steps.add(op, end, map[string]string{"time": "ends when the user's program runs"})
	}
	steps.close()
}

// stepper groups operations by the step that they belong to.
type stepper struct {
	pid  int
	at   time.Time // the end of the operation before
	step *span
}

func (s *stepper) add(op Op, end time.Time, args map[string]string) {
	if end.Before(s.at) {
		end = s.at
	}
	if s.step == nil || s.step.name != op.Step {
		s.close()
		s.step = &span{name: op.Step, begin: s.at, stage: s.pid}
		record.spans = append(record.spans, s.step)
	}
	if args == nil {
		args = map[string]string{}
	}
	if op.Field != "" {
		args["field"] = op.Field
	}
	if op.Target != "" {
		args["target"] = op.Target
	}
	record.spans = append(record.spans, &span{name: op.Name, begin: s.at, end: end, stage: s.pid, depth: 1, args: args})
	s.at = end
}

func (s *stepper) close() {
	if s.step != nil {
		s.step.end = s.at
		s.step = nil
	}
}
