package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// sizes measures what a container and the runtime take of the machine.
func sizes(h *house) error {
	t := h.table("Size, KiB", "KiB")
	t.row("least memory limit in which /bin/true runs").target = 1
	t.row("resident memory of a container in `created`")
	t.row("… of it private")
	t.row("binary")
	for _, c := range h.runtimes {
		least, err := c.leastMemory(h)
		if err != nil {
			return err
		}
		t.row("least memory limit in which /bin/true runs").put(c.name, float64(least))
		resident, private, err := c.createdMemory(h)
		if err != nil {
			return err
		}
		t.row("resident memory of a container in `created`").put(c.name, float64(resident))
		t.row("… of it private").put(c.name, float64(private))
		st, err := os.Stat(c.path)
		if err != nil {
			return err
		}
		t.row("binary").put(c.name, float64(st.Size()/1024))
		works := "fails"
		if c.runsTight(h, func(r *specs.LinuxResources) { r.Pids = &specs.LinuxPids{Limit: new(int64(1))} }) == nil {
			works = "works"
		}
		t.row("a pids limit of 1").say(c.name, works)
	}
	return nil
}

// leastMemory is the least limit, in KiB, with which /bin/true runs three times in a row.
func (c *contestant) leastMemory(h *house) (int64, error) {
	const page = 4
	low, high := int64(0), int64(64<<10/page) // in pages; the lower fails, the upper works
	if err := c.runsWith(h, high*page); err != nil {
		return 0, err
	}
	for high-low > 1 {
		middle := (low + high) / 2
		works := true
		for range 3 {
			works = works && c.runsWith(h, middle*page) == nil
		}
		if works {
			high = middle
		} else {
			low = middle
		}
	}
	return high * page, nil
}

func (c *contestant) runsWith(h *house, kib int64) error {
	return c.runsTight(h, func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Limit: new(kib << 10)} })
}

// runsTight runs /bin/true with resources as edited.
func (c *contestant) runsTight(h *house, edit func(*specs.LinuxResources)) error {
	err := h.writeBundle(tight, func(s *specs.Spec) {
		s.Process.Args = []string{"/bin/true"}
		edit(s.Linux.Resources)
	})
	if err != nil {
		return err
	}
	id := c.name + "-tight"
	_, err = c.run("run", "--bundle", h.bundle(tight), id)
	if err != nil {
		_, _ = c.run("delete", "--force", id)
	}
	return err
}

// createdMemory is the memory, in KiB, of what waits for start, and how much of
// it is shared with nobody: proc_pid_smaps(5).
func (c *contestant) createdMemory(h *house) (resident, private int64, err error) {
	id := c.name + "-created"
	if _, err := c.run("create", "--bundle", h.bundle(sleeps), id); err != nil {
		return 0, 0, err
	}
	defer func() { _, _ = c.run("delete", "--force", id) }()
	out, err := c.output("state", id)
	if err != nil {
		return 0, 0, err
	}
	var state specs.State
	if err := json.Unmarshal(out, &state); err != nil {
		return 0, 0, err
	}
	text, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(state.Pid), "smaps_rollup"))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		var kib int64
		if _, err := fmt.Sscanf(value, "%d kB", &kib); err != nil {
			continue // the first line names addresses
		}
		switch key {
		case "Rss":
			resident = kib
		case "Private_Clean", "Private_Dirty":
			private += kib
		}
	}
	return resident, private, nil
}
