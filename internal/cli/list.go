package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	urfave "github.com/urfave/cli/v2"

	"hull/libcontainer"
)

func listCommand() *urfave.Command {
	return &urfave.Command{
		Name:  "list",
		Usage: "list the containers of the state root",
		Flags: []urfave.Flag{
			formatFlag(),
			&urfave.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print ids only"},
		},
		Action: list,
	}
}

// formatFlag is --format of list and ps.
func formatFlag() urfave.Flag {
	return &urfave.StringFlag{Name: "format", Aliases: []string{"f"}, Usage: "print a table or json", Value: "table"}
}

// format returns the value of --format.
func format(c *urfave.Context) (string, error) {
	f := c.String("format")
	if f != "table" && f != "json" {
		return "", misused(c, "--format %q: must be table or json", f)
	}
	return f, nil
}

func list(c *urfave.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	form, err := format(c)
	if err != nil {
		return err
	}
	root, err := openRoot(c)
	if err != nil {
		return err
	}
	containers, err := root.List()
	if err != nil {
		return err
	}
	if c.Bool("quiet") {
		for _, one := range containers {
			if _, err := fmt.Fprintln(c.App.Writer, one.ID); err != nil {
				return err
			}
		}
		return nil
	}
	states := states(c.App.ErrWriter, containers)
	if form == "json" {
		return json.NewEncoder(c.App.Writer).Encode(states)
	}
	return printTable(c.App.Writer, states)
}

// states are the containers' states; a container whose state cannot be told
// is named on standard error and does not keep others from being listed.
func states(errs io.Writer, containers []*libcontainer.Container) []libcontainer.State {
	states := make([]libcontainer.State, 0, len(containers))
	for _, one := range containers {
		s, err := one.State()
		if err != nil {
			fmt.Fprintln(errs, "hull:", err)
			continue
		}
		states = append(states, s)
	}
	return states
}

func printTable(w io.Writer, states []libcontainer.State) error {
	const minWidth, tabWidth, padding = 12, 1, 3
	t := tabwriter.NewWriter(w, minWidth, tabWidth, padding, ' ', 0)
	fmt.Fprint(t, "ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER\n")
	for _, s := range states {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\n",
			s.ID, s.Pid, s.Status, s.Bundle, s.Created.Format(time.RFC3339Nano), s.Owner)
	}
	return t.Flush()
}
