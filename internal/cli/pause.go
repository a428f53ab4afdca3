package cli

import urfave "github.com/urfave/cli/v2"

func pauseCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "pause",
		Usage:     "freeze all processes of a container",
		ArgsUsage: "ID",
		Action: func(c *urfave.Context) error {
			container, err := load(c)
			if err != nil {
				return err
			}
			return container.Pause()
		},
	}
}

func resumeCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "resume",
		Usage:     "thaw the processes of a paused container",
		ArgsUsage: "ID",
		Action: func(c *urfave.Context) error {
			container, err := load(c)
			if err != nil {
				return err
			}
			return container.Resume()
		},
	}
}
