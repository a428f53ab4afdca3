package cli

import (
	"encoding/json"
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
	status, err := container.Status()
	if err != nil {
		return err
	}
	if status == specs.StateStopped {
		return libcontainer.ErrNotRunning
	}
	out := json.NewEncoder(c.App.Writer)
	if c.Bool("stats") {
		return printStats(out, container)
	}
	return follow(out, container, interval)
}

// follow prints events until the container stops. The kernel counts those
// killed for lack of memory, so that none is missed between two looks.
func follow(out *json.Encoder, container *libcontainer.Container, interval time.Duration) error {
	seen, err := container.OOMKills()
	if err != nil {
		return err
	}
	for {
		stopped, err := container.Stopped(interval)
		if err != nil {
			return err
		}
		kills, err := container.OOMKills()
		if err != nil && !stopped {
			return err
		}
		for ; seen < kills; seen++ {
			if err := out.Encode(event{Type: "oom", ID: container.ID}); err != nil {
				return err
			}
		}
		if stopped {
			return nil
		}
		if err := printStats(out, container); err != nil {
			return err
		}
	}
}

func printStats(out *json.Encoder, container *libcontainer.Container) error {
	stats, err := container.Stats()
	if err != nil {
		return err
	}
	return out.Encode(event{"stats", container.ID, stats})
}
