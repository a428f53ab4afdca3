package cli

import (
	urfave "github.com/urfave/cli/v2"
)

func killCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "kill",
		Usage:     "send a signal, TERM by default, to a container's process",
		ArgsUsage: "ID [SIGNAL]",
		Flags: []urfave.Flag{
			&urfave.BoolFlag{Name: "all", Aliases: []string{"a"}, Usage: "send it to all processes of the container"},
		},
		Action: kill,
	}
}

func kill(c *urfave.Context) error {
	args, err := operands(c, 1, 2)
	if err != nil {
		return err
	}
	word := "TERM"
	if len(args) == 2 {
		word = args[1]
	}
	signal, err := parseSignal(word)
	if err != nil {
		return err
	}
	container, err := find(c, args[0])
	if err != nil {
		return err
	}
	return container.Kill(signal, c.Bool("all"))
}
