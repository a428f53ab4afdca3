package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

func psCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "ps",
		Usage:     "list the processes of a container",
		ArgsUsage: "ID [ps(1) ARGUMENT...]",
		Flags:     []urfave.Flag{formatFlag()},
		Action:    ps,
	}
}

func ps(c *urfave.Context) error {
	form, err := format(c)
	if err != nil {
		return err
	}
	if !c.Args().Present() {
		return misused(c, "the container's id is missing")
	}
	container, err := find(c, c.Args().First())
	if err != nil {
		return err
	}
	pids, err := container.Pids()
	if err != nil {
		return err
	}
	if form == "json" {
		return json.NewEncoder(c.App.Writer).Encode(append([]int{}, pids...)) // never null
	}
	args := c.Args().Tail()
	if len(args) == 0 {
		args = []string{"-ef"}
	}
	table, err := exec.CommandContext(c.Context, "ps", args...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return fmt.Errorf("ps %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(exit.Stderr)))
		}
		return err
	}
	return printProcesses(c.App.Writer, string(table), pids)
}

// printProcesses writes the header of ps's table and the lines of pids.
func printProcesses(w io.Writer, table string, pids []int) error {
	header, rows, _ := strings.Cut(table, "\n")
	column := slices.Index(strings.Fields(header), "PID")
	if column < 0 {
		return fmt.Errorf("ps printed no PID column: %s", header)
	}
	if _, err := fmt.Fprintln(w, header); err != nil {
		return err
	}
	for row := range strings.Lines(rows) {
		fields := strings.Fields(row)
		if len(fields) <= column {
			continue
		}
		pid, err := strconv.Atoi(fields[column])
		if err != nil {
			return fmt.Errorf("ps printed a pid that is none: %w", err)
		}
		if !slices.Contains(pids, pid) {
			continue
		}
		if _, err := io.WriteString(w, row); err != nil {
			return err
		}
	}
	return nil
}
