package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// event is one of the Trace Event Format, which chrome://tracing and Perfetto read.
type event struct {
	Name  string            `json:"name"`
	Phase string            `json:"ph"`
	Time  float64           `json:"ts"` // microseconds
	Took  *float64          `json:"dur,omitempty"`
	Pid   int               `json:"pid"`
	Tid   int               `json:"tid"`
	Args  map[string]string `json:"args,omitempty"`
}

func (r *recorder) micros(t time.Time) float64 { return float64(t.Sub(r.began).Nanoseconds()) / 1e3 }

// writeEvents writes the trace as JSON.
func (r *recorder) writeEvents() error {
	self := os.Getpid()
	named := map[int]bool{}
	events := []event{}
	name := func(pid int, as string) {
		if !named[pid] {
			named[pid] = true
			events = append(events, event{Name: "process_name", Phase: "M", Pid: pid, Tid: pid, Args: map[string]string{"name": as}})
		}
	}
	for _, s := range r.spans {
		e := event{Name: s.name, Phase: "X", Time: r.micros(s.begin), Pid: self, Args: s.args}
		name(self, "hull")
		if s.stage != 0 {
			name(s.stage, "stage")
			e.Pid = s.stage
		}
		e.Tid = e.Pid
		took := float64(s.end.Sub(s.begin).Nanoseconds()) / 1e3
		e.Took = &took
		events = append(events, e)
	}
	return json.NewEncoder(r.out).Encode(map[string]any{
		"traceEvents": events, "displayTimeUnit": "ms",
		"otherData": map[string]string{"clock": "CLOCK_REALTIME", "began": strconv.FormatInt(r.began.UnixNano(), 10)},
	})
}

// writeTable writes phases and steps, without single operations, as they began.
func (r *recorder) writeTable() error {
	spans := slices.DeleteFunc(slices.Clone(r.spans), func(s *span) bool { return s.stage != 0 && s.depth > 0 })
	slices.SortStableFunc(spans, func(a, b *span) int { return a.begin.Compare(b.begin) })
	w := bufio.NewWriter(r.out)
	fmt.Fprintf(w, "%9s %9s  %s\n", "at ms", "took ms", "phase; of the container's process after a bar")
	for _, s := range spans {
		indent := strings.Repeat("  ", s.depth)
		if s.stage != 0 {
			indent = strings.Repeat(" ", 8) + "| "
		}
		fmt.Fprintf(w, "%9.3f %9.3f  %s%s\n", r.micros(s.begin)/1e3, s.end.Sub(s.begin).Seconds()*1e3, indent, s.name)
	}
	return w.Flush()
}
