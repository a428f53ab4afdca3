package main

import (
	"fmt"
	"time"
)

// backToBack measures the commands one after the other without a pause.
func backToBack(h *house) error {
	return h.measure("Back to back, ms", h.rounds, 0)
}

// withIdleTime measures them after a pause, as containers start in life: then
// a wait for an RCU grace period takes its full time.
func withIdleTime(h *house) error {
	return h.measure(fmt.Sprintf("After %d ms of idle time, ms", h.idle.Milliseconds()), h.idleRounds, h.idle)
}

// act is one command to measure, in the life of a container.
type act struct {
	name     string
	back     float64 // what is wanted: a ratio to crun; 0: nothing
	idle     float64 // the same with idle time
	emulated float64 // the same on cgroup v2, where the bench has to do with an emulated machine
	args     func(h *house, id string) []string
}

var acts = []act{
	{"run", 0.75, 0.35, 1, func(h *house, id string) []string { return []string{"run", "--bundle", h.bundle(plain), id} }},
	{"run, Docker's configuration", 0.75, 0.35, 0, func(h *house, id string) []string { return []string{"run", "--bundle", h.bundle(docker), id} }},
	{"create", 0.7, 0, 0, func(h *house, id string) []string { return []string{"create", "--bundle", h.bundle(sleeps), id} }},
	{"start", 0.9, 0, 0, func(_ *house, id string) []string { return []string{"start", id} }},
	{"state", 0.9, 0, 0, func(_ *house, id string) []string { return []string{"state", id} }},
	{"exec", 0.9, 0.5, 1, func(_ *house, id string) []string { return []string{"exec", id, "/bin/true"} }},
	{"delete --force", 0.9, 0, 0, func(_ *house, id string) []string { return []string{"delete", "--force", id} }},
}

// wanted is what is wanted of the ratio to crun, after so much idle time.
func (a *act) wanted(h *house, pause time.Duration) float64 {
	switch {
	case len(h.cgroups) == 1:
		return a.emulated
	case pause > 0:
		return a.idle
	}
	return a.back
}

// measure fills a table with rounds of all acts.
func (h *house) measure(title string, rounds int, pause time.Duration) error {
	t, cpu := h.table(title, "ms"), h.table(title+": processor time", "ms")
	for i := range rounds + 1 { // the first warms caches up and is not counted
		for _, a := range acts {
			row, cpu := t.row(a.name), cpu.row(a.name)
			row.target = a.wanted(h, pause)
			if a.name == "run" {
				time.Sleep(pause)
				took, err := h.runFloor()
				if err != nil {
					return err
				}
				row.add(i, "floor", took.time)
				cpu.add(i, "floor", took.cpu)
			}
			for _, c := range h.turns(i) {
				time.Sleep(pause)
				took, err := c.run(a.args(h, fmt.Sprintf("%s-%d", c.name, i))...)
				if err != nil {
					return err
				}
				row.add(i, c.name, took.time)
				cpu.add(i, c.name, took.cpu)
			}
		}
	}
	return nil
}

func (h *house) runFloor() (cost, error) {
	return timed(append([]string{h.floor, h.rootfs()}, h.cgroups...))
}
