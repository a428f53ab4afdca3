package cli

import (
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	urfave "github.com/urfave/cli/v2"

	"hull/specconv"
)

func updateCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "update",
		Usage:     "change the resource limits of a container",
		ArgsUsage: "ID",
		Flags: append([]urfave.Flag{
			&urfave.StringFlag{Name: "resources", Aliases: []string{"r"}, Usage: "read linux.resources, as in config.json, from `FILE`, or from standard input if it is -; other flags are ignored"},
		}, limitFlags()...),
		Action: update,
	}
}

func update(c *urfave.Context) error {
	id, err := operand(c)
	if err != nil {
		return err
	}
	resources, err := newResources(c)
	if err != nil {
		return err
	}
	container, err := find(c, id)
	if err != nil {
		return err
	}
	return container.Update(resources, c.String("l3-cache-schema"), c.String("mem-bw-schema"))
}

func newResources(c *urfave.Context) (*specs.LinuxResources, error) {
	switch name := c.String("resources"); name {
	case "":
		return limits(c)
	case "-":
		return specconv.LoadResources(os.Stdin, "standard input")
	default:
		f, err := os.Open(name)
		if err != nil {
			return nil, misused(c, "--resources: %w", err)
		}
		defer f.Close()
		return specconv.LoadResources(f, name)
	}
}
