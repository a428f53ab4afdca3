package cli

import urfave "github.com/urfave/cli/v2"

func startCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "start",
		Usage:     "run the user's program in a container that was created",
		ArgsUsage: "ID",
		Action: func(c *urfave.Context) error {
			container, err := load(c)
			if err != nil {
				return err
			}
			return container.Start()
		},
	}
}
