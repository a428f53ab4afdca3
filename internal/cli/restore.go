package cli

import (
	urfave "github.com/urfave/cli/v2"

	"hull/libcontainer"
)

func restoreCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "restore",
		Usage:     "make a container from a bundle and the images of a checkpoint, with criu(8)",
		ArgsUsage: "ID",
		Flags: append(append(criuFlags(), runFlags()...),
			&urfave.BoolFlag{Name: "tcp-close", Usage: "restore TCP connections as closed ones"},
			&urfave.StringFlag{Name: "lsm-profile", Usage: "`TYPE:NAME` in place of the security label that was saved"},
			&urfave.StringFlag{Name: "lsm-mount-context", Usage: "`LABEL` in place of the mount labels that were saved"},
		),
		Action: restore,
	}
}

func restore(c *urfave.Context) error {
	return runNew(c, func(root *libcontainer.Root, id string, o libcontainer.CreateOptions) (*libcontainer.Container, error) {
		return root.Restore(id, libcontainer.RestoreOptions{
			CreateOptions:   o,
			CriuOptions:     criuOptions(c),
			TCPClose:        c.Bool("tcp-close"),
			LSMProfile:      c.String("lsm-profile"),
			LSMMountContext: c.String("lsm-mount-context"),
		})
	})
}
