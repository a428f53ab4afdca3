package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// writeDoc puts the tables between these marks of the document.
func (h *house) writeDoc(path string) error {
	beginMark, endMark := "<!-- begin: written by "+h.by+" -->\n", "<!-- end -->\n"
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(data), beginMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return fmt.Errorf("%s: lacks the lines %q and %q", path, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	var b strings.Builder
	b.WriteString(before + beginMark + "\n" + h.machine() + "\n")
	for _, t := range h.tables {
		b.WriteString(t.markdown(h.names()) + "\n")
	}
	b.WriteString(endMark + after)
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// machine describes what was measured, and where.
func (h *house) machine() string {
	var b strings.Builder
	for _, c := range h.runtimes {
		fmt.Fprintf(&b, "- %s\n", strings.TrimSpace(c.version))
	}
	var uts unix.Utsname
	_ = unix.Uname(&uts)
	layout := "v2"
	if len(h.cgroups) > 1 {
		layout = fmt.Sprintf("v1, %d hierarchies", len(h.cgroups))
		if hybrid() {
			layout += ", one of them a v2 tree (hybrid); crun is run without sight of that one, which it refuses"
		}
	}
	fmt.Fprintf(&b, "- Linux %s on %s, %d cores; cgroup %s\n", unix.ByteSliceToString(uts.Release[:]), processor(), runtime.NumCPU(), layout)
	fmt.Fprintf(&b, "- %d rounds back to back, %d with idle time; median (quarter and three quarter points)\n", h.rounds, h.idleRounds)
	return b.String()
}

func processor() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
