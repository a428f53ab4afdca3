package main

import (
	"fmt"
	"sync"
	"time"
)

// manyUp brings many containers up, workers at a time, lists them, and takes them down.
func manyUp(h *house) error {
	t := h.table(fmt.Sprintf("%d containers, %d at a time, ms", h.many, workers), "ms")
	const rounds = 5
	for i := range rounds {
		for _, c := range h.turns(i) {
			if err := h.upAndDown(t, i+1, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *house) upAndDown(t *table, round int, c *contestant) error {
	half := h.many / 2
	first, err := c.up(h, 0, half)
	if err != nil {
		return err
	}
	second, err := c.up(h, half, h.many)
	if err != nil {
		return err
	}
	up := t.row("up")
	up.target = 0.7
	up.add(round, c.name, first+second)
	t.row("up, the second half of them").add(round, c.name, second)
	for k := range 5 {
		took, err := c.run("list")
		if err != nil {
			return err
		}
		t.row("list").add(5*round+k, c.name, took.time)
	}
	down, err := c.down(0, h.many)
	t.row("down").add(round, c.name, down)
	return err
}

// longList lists more containers: hull's alone.
func longList(h *house) error {
	c := h.runtimes[0]
	t := h.table(fmt.Sprintf("%d containers", h.more), "ms")
	if _, err := c.up(h, 0, h.more); err != nil {
		return err
	}
	for i := range 10 {
		took, err := c.run("list")
		if err != nil {
			return err
		}
		t.row("list").add(i, c.name, took.time)
	}
	_, err := c.down(0, h.more)
	return err
}

// up starts the containers from number to number.
func (c *contestant) up(h *house, from, to int) (time.Duration, error) {
	return c.each(from, to, func(id string) []string {
		return []string{"run", "--detach", "--bundle", h.bundle(sleeps), id}
	})
}

func (c *contestant) down(from, to int) (time.Duration, error) {
	return c.each(from, to, func(id string) []string { return []string{"delete", "--force", id} })
}

// each runs a command for each of the containers, workers at a time.
func (c *contestant) each(from, to int, args func(id string) []string) (time.Duration, error) {
	numbers := make(chan int)
	errs := make([]error, workers)
	var group sync.WaitGroup
	begin := time.Now()
	for w := range workers {
		group.Go(func() {
			for n := range numbers {
				if _, err := c.runOn(w, args(fmt.Sprintf("%s-%d", c.name, n))...); err != nil && errs[w] == nil {
					errs[w] = err
				}
			}
		})
	}
	for n := from; n < to; n++ {
		numbers <- n
	}
	close(numbers)
	group.Wait()
	took := time.Since(begin)
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return took, nil
}
