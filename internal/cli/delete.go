package cli

import (
	"errors"

	urfave "github.com/urfave/cli/v2"

	"hull/libcontainer"
)

func deleteCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "delete",
		Usage:     "remove a stopped container and all that belongs to it",
		ArgsUsage: "ID",
		Flags: []urfave.Flag{
			&urfave.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "kill its processes first; a container that does not exist is no error"},
		},
		Action: remove,
	}
}

func remove(c *urfave.Context) error {
	force := c.Bool("force")
	container, err := load(c)
	if force && errors.Is(err, libcontainer.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return container.Delete(force)
}
