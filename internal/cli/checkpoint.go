package cli

import (
	urfave "github.com/urfave/cli/v2"

	"hull/libcontainer"
)

func checkpointCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "checkpoint",
		Usage:     "save a running container to images, with criu(8)",
		ArgsUsage: "ID",
		Flags: append(criuFlags(),
			&urfave.BoolFlag{Name: "leave-running", Usage: "let it run on; else it is gone"},
			&urfave.BoolFlag{Name: "pre-dump", Usage: "save its memory only, and let it run on: the next checkpoint has less to do"},
			&urfave.StringFlag{Name: "parent-path", Usage: "`DIR`, relative to the images', of an earlier pre-dump"},
			&urfave.StringFlag{Name: "page-server", Usage: "send its memory to `ADDRESS:PORT`"},
			&urfave.BoolFlag{Name: "tcp-skip-in-flight", Usage: "leave out TCP connections that are being made"},
			&urfave.IntFlag{Name: "status-fd", Usage: "with --lazy-pages, write a NUL byte to descriptor `FD` when pages can be had", Value: -1},
		),
		Action: checkpoint,
	}
}

func checkpoint(c *urfave.Context) error {
	container, err := load(c)
	if err != nil {
		return err
	}
	return container.Checkpoint(libcontainer.CheckpointOptions{
		CriuOptions:     criuOptions(c),
		LeaveRunning:    c.Bool("leave-running"),
		PreDump:         c.Bool("pre-dump"),
		ParentPath:      c.String("parent-path"),
		PageServer:      c.String("page-server"),
		TCPSkipInFlight: c.Bool("tcp-skip-in-flight"),
		StatusFD:        c.Int("status-fd"),
	})
}

// criuFlags are what checkpoint and restore have in common.
func criuFlags() []urfave.Flag {
	return []urfave.Flag{
		&urfave.StringFlag{Name: "image-path", Usage: "`DIR` of the images", Value: "checkpoint"},
		&urfave.StringFlag{Name: "work-path", Usage: "`DIR` of criu's log", DefaultText: "that of the images"},
		&urfave.BoolFlag{Name: "tcp-established", Usage: "save open TCP connections too"},
		&urfave.BoolFlag{Name: "ext-unix-sk", Usage: "allow unix sockets that are connected to the outside"},
		&urfave.BoolFlag{Name: "shell-job", Usage: "allow a session and a terminal that are not its own"},
		&urfave.BoolFlag{Name: "file-locks", Usage: "save file locks too"},
		&urfave.BoolFlag{Name: "auto-dedup", Usage: "drop memory from images as soon as it is used"},
		&urfave.BoolFlag{Name: "link-remap", Usage: "allow files that have been removed, through links of their own"},
		&urfave.BoolFlag{Name: "lazy-pages", Usage: "move memory only when it is needed"},
		&urfave.StringFlag{Name: "manage-cgroups-mode", Usage: "what becomes of cgroups: ignore, none, props, soft, full or strict", Value: "soft"},
		&urfave.StringSliceFlag{Name: "empty-ns", Usage: "make namespaces of `KIND` anew, empty: network"},
	}
}

func criuOptions(c *urfave.Context) libcontainer.CriuOptions {
	return libcontainer.CriuOptions{
		ImagePath:      c.String("image-path"),
		WorkPath:       c.String("work-path"),
		TCPEstablished: c.Bool("tcp-established"),
		ExtUnixSk:      c.Bool("ext-unix-sk"),
		ShellJob:       c.Bool("shell-job"),
		FileLocks:      c.Bool("file-locks"),
		AutoDedup:      c.Bool("auto-dedup"),
		LinkRemap:      c.Bool("link-remap"),
		LazyPages:      c.Bool("lazy-pages"),
		CgroupMode:     c.String("manage-cgroups-mode"),
		EmptyNS:        c.StringSlice("empty-ns"),
	}
}
