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
	name   string
	target float64 // of the ratio to crun; 0: none
	idle   float64 // the same with idle time
	args   func(h *house, id string) []string
}

var acts = []act{
	{"run", 0.75, 0.35, func(h *house, id string) []string { return []string{"run", "--bundle", h.bundle(plain), id} }},
	{"run, Docker's configuration", 0.75, 0.35, func(h *house, id string) []string { return []string{"run", "--bundle", h.bundle(docker), id} }},
	{"create", 0.7, 0, func(h *house, id string) []string { return []string{"create", "--bundle", h.bundle(sleeps), id} }},
	{"start", 0.9, 0, func(_ *house, id string) []string { return []string{"start", id} }},
	{"state", 0.9, 0, func(_ *house, id string) []string { return []string{"state", id} }},
	{"exec", 0.9, 0.5, func(_ *house, id string) []string { return []string{"exec", id, "/bin/true"} }},
	{"delete --force", 0.9, 0, func(_ *house, id string) []string { return []string{"delete", "--force", id} }},
}

// measure fills a table with rounds of all acts.
func (h *house) measure(title string, rounds int, pause time.Duration) error {
	t, cpu := h.table(title, "ms"), h.table(title+": processor time", "ms")
	for i := range rounds + 1 { // the first warms caches up and is not counted
		for _, a := range acts {
			row, cpu := t.row(a.name), cpu.row(a.name)
			row.target = a.target
			if pause > 0 {
				row.target = a.idle
			}
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
