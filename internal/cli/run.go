package cli

import (
	"errors"
	"log/slog"
	"os"

	urfave "github.com/urfave/cli/v2"

	"hull/libcontainer"
)

func runCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "run",
		Usage:     "create and start a container, wait for its end, and delete it",
		ArgsUsage: "ID",
		Flags:     runFlags(),
		Action:    run,
	}
}

// runFlags are the flags of run, which restore has too.
func runFlags() []urfave.Flag {
	return append(createFlags(),
		&urfave.BoolFlag{Name: "detach", Aliases: []string{"d"}, Usage: "do not wait for its end"},
		&urfave.BoolFlag{Name: "keep", Usage: "do not delete it"},
		&urfave.BoolFlag{Name: "no-subreaper", Usage: "leave orphans of the container to others (prctl(2), PR_SET_CHILD_SUBREAPER)"},
	)
}

func run(c *urfave.Context) error {
	return runNew(c, (*libcontainer.Root).Create)
}

// runNew makes a container that runs, and stays with it unless it is to be detached.
func runNew(c *urfave.Context, create func(*libcontainer.Root, string, libcontainer.CreateOptions) (*libcontainer.Container, error)) error {
	root, id, o, err := newContainer(c)
	if err != nil {
		return err
	}
	o.Run, o.Detach = true, c.Bool("detach")
	if o.Detach {
		container, err := create(root, id, o)
		if err != nil {
			return err
		}
		return container.PassReady(0)
	}
	o.ConsoleSize = terminalSize()
	f, err := newForeground(!c.Bool("no-subreaper"))
	if err != nil {
		return err
	}
	container, err := create(root, id, o)
	if err != nil {
		return err
	}
	go func() {
		if err := container.PassReady(os.Getpid()); err != nil {
			slog.Warn(err.Error())
		}
	}()
	end := f.stay(container.Init)
	if c.Bool("keep") {
		return end
	}
	// Whatever became of the process: its end is what the caller asks for.
	if err := container.Delete(true); err != nil && !errors.Is(err, libcontainer.ErrNotExist) {
		if end == nil {
			return err
		}
		slog.Warn("container " + id + " cannot be deleted: " + err.Error())
	}
	return end
}
