package cli

import (
	"os"

	urfave "github.com/urfave/cli/v2"
)

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
			if err := container.Start(notifySocket()); err != nil {
				return err
			}
			return container.PassReady(0)
		},
	}
}

// notifySocket is where a service manager waits for us to be ready. sd_notify(3)
func notifySocket() string { return os.Getenv("NOTIFY_SOCKET") }
