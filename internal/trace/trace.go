// Package trace records when each phase of a command began and ended, for
// `hull --trace`. Until Begin is called it records nothing and asks the kernel nothing.
//
// The clock is CLOCK_REALTIME, the only one that parent and stage agree on: a
// time namespace moves the others (time_namespaces(7)).
package trace

import (
	"fmt"
	"os"
	"time"
)

// span is one phase.
type span struct {
	name       string
	begin, end time.Time
	stage      int // pid of the stage that did it, 0 for hull's own process
	depth      int
	args       map[string]string
}

// recorder is what is known of this command.
type recorder struct {
	out   *os.File
	table bool
	began time.Time
	spans []*span // in the order of their beginning, the stage's apart
	depth int
}

var record *recorder // nil: off

// Begin switches recording on, and lets Close write the trace to the file
// path, or a table to standard error for `-`. The process was born then.
func Begin(path string, born time.Time) error {
	r := &recorder{out: os.Stderr, table: path == "-", began: born}
	if !r.table {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644) //nolint:gosec // nothing secret is in it
		if err != nil {
			return fmt.Errorf("--trace: %w", err)
		}
		r.out = f
	}
	record = r
	r.depth = 1
	r.spans = []*span{
		{name: "hull", begin: born},
		{name: "start of the program", begin: born, end: time.Now(), depth: 1},
	}
	return nil
}

// On says whether anything is recorded.
func On() bool { return record != nil }

// Phase begins a phase of this process; the function returned ends it. Phases
// nest: what begins later ends earlier.
func Phase(name string) func() {
	if record == nil {
		return nothing
	}
	r := record
	s := &span{name: name, begin: time.Now(), depth: r.depth}
	r.spans = append(r.spans, s)
	r.depth++
	return func() {
		s.end = time.Now()
		r.depth--
	}
}

func nothing() {}

// Close writes what was recorded. It can be called again, and does nothing then.
func Close() error {
	r := record
	if r == nil {
		return nil
	}
	record = nil
	now := time.Now()
	for _, s := range r.spans {
		if s.end.IsZero() { // the command failed in the middle
			s.end = now
		}
	}
	var err error
	if r.table {
		err = r.writeTable()
	} else {
		err = r.writeEvents()
		if cerr := r.out.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return fmt.Errorf("--trace: %w", err)
	}
	return nil
}
