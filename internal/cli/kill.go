package cli

import (
	"fmt"

	urfave "github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// stopSignal is the annotation with the signal that ends the container as its image wants: config.md, Annotations.
const stopSignal = "org.opencontainers.image.stopSignal"

func killCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "kill",
		Usage:     "send a signal to a container's process; by default its stop signal, or TERM",
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
	signal := unix.SIGTERM
	if len(args) == 2 {
		if signal, err = parseSignal(args[1]); err != nil {
			return err
		}
	}
	container, err := find(c, args[0])
	if err != nil {
		return err
	}
	if word := container.Annotations()[stopSignal]; len(args) < 2 && word != "" {
		if signal, err = parseSignal(word); err != nil {
			return fmt.Errorf("annotations.%s: %w", stopSignal, err)
		}
	}
	return container.Kill(signal, c.Bool("all"))
}
