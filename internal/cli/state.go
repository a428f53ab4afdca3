package cli

import (
	"encoding/json"
	"io"

	urfave "github.com/urfave/cli/v2"
)

func stateCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "state",
		Usage:     "print a container's state as JSON",
		ArgsUsage: "ID",
		Action:    state,
	}
}

func state(c *urfave.Context) error {
	container, err := load(c)
	if err != nil {
		return err
	}
	s, err := container.State()
	if err != nil {
		return err
	}
	return printIndented(c.App.Writer, s, "  ")
}

// printIndented writes v as JSON for people and programs.
func printIndented(w io.Writer, v any, indent string) error {
	e := json.NewEncoder(w)
	e.SetIndent("", indent)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
