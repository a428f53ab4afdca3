package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	urfave "github.com/urfave/cli/v2"

	"hull/libcontainer"
)

func eventsCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "events",
		Usage:     "print a container's counters, and when memory ran out, as lines of JSON until it stops",
		ArgsUsage: "ID",
		Flags: []urfave.Flag{
			&urfave.DurationFlag{Name: "interval", Usage: "`TIME` from one line of counters to the next", Value: 5 * time.Second},
			&urfave.BoolFlag{Name: "stats", Usage: "print one line of counters and end"},
		},
		Action: events,
	}
}

// event is one line of output.
type event struct {
	Type string `json:"type"` // stats or oom
	ID   string `json:"id"`
	Data any    `json:"data,omitempty"`
}

func events(c *urfave.Context) error {
	interval := c.Duration("interval")
	if interval < time.Millisecond {
		return misused(c, "--interval %s: must be at least a millisecond", interval)
	}
	container, err := load(c)
	if err != nil {
		return err
	}
	out := json.NewEncoder(c.App.Writer)
	if c.Bool("stats") {
		return printStats(out, container)
	}
	if err := mustRun(container); err != nil {
		return err
	}
	return follow(out, container, interval)
}

func mustRun(container *libcontainer.Container) error {
	status, err := container.Status()
	if err == nil && status == specs.StateStopped {
		return libcontainer.ErrNotRunning
	}
	return err
}

// follow prints events until the container stops.
func follow(out *json.Encoder, container *libcontainer.Container, interval time.Duration) error {
	told, err := container.OOMKills()
	if err != nil {
		return err
	}
	happens, err := container.Watch()
	if err != nil {
		return err
	}
	tick := time.NewTicker(interval)
	for err = printStats(out, container); err == nil; {
		select {
		case n := <-happens.OOM:
			told += n
			err = printOOM(out, container, n)
		case <-tick.C:
			err = printStats(out, container)
		case err = <-happens.Stopped:
			err = cmp.Or(err, libcontainer.ErrNotRunning)
		}
	}
	if !errors.Is(err, libcontainer.ErrNotRunning) {
		return err
	}
	// What killed it may be news still on its way.
	if kills, err := container.OOMKills(); err == nil && kills > told {
		return printOOM(out, container, kills-told)
	}
	return nil
}

func printOOM(out *json.Encoder, container *libcontainer.Container, times uint64) error {
	for range times {
		if err := out.Encode(event{Type: "oom", ID: container.ID}); err != nil {
			return err
		}
	}
	return nil
}

func printStats(out *json.Encoder, container *libcontainer.Container) error {
	stats, err := container.Stats()
	if err := cmp.Or(mustRun(container), err); err != nil { // its cgroup may have gone with it
		return err
	}
	return out.Encode(event{"stats", container.ID, stats})
}
