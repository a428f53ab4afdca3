package cli

import (
	"fmt"
	"os"
	"strconv"

	urfave "github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"hull/libcontainer"
)

func createCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "create",
		Usage:     "make a container from a bundle; start runs its program",
		ArgsUsage: "ID",
		Flags: append(createFlags(),
			// What run can be told and create does anyway: go-runc passes them to both.
			&urfave.BoolFlag{Name: "detach", Aliases: []string{"d"}, Hidden: true},
			&urfave.BoolFlag{Name: "keep", Hidden: true},
			&urfave.BoolFlag{Name: "no-subreaper", Hidden: true},
		),
		Action: create,
	}
}

func create(c *urfave.Context) error {
	root, id, o, err := newContainer(c)
	if err != nil {
		return err
	}
	_, err = root.Create(id, o)
	return err
}

// newContainer is what the command line of create or run says of the container to make.
func newContainer(c *urfave.Context) (root *libcontainer.Root, id string, o libcontainer.CreateOptions, err error) {
	if id, err = operand(c); err != nil {
		return nil, "", o, err
	}
	if o, err = createOptions(c); err != nil {
		return nil, "", o, err
	}
	root, err = openRoot(c)
	return root, id, o, err
}

// createFlags are the flags of create, which run has too.
func createFlags() []urfave.Flag {
	return append([]urfave.Flag{
		bundleFlag(),
		configFlag(),
		&urfave.BoolFlag{Name: "no-pivot", Usage: "move the root mount instead of pivot_root(2), for a root in an initial ramdisk"},
		&urfave.BoolFlag{Name: "no-new-keyring", Usage: "keep the caller's session keyring"},
	}, processFlags()...)
}

// processFlags are what create, run and exec have in common.
func processFlags() []urfave.Flag {
	return []urfave.Flag{
		&urfave.StringFlag{Name: "console-socket", Usage: "send the master of the terminal to the unix socket `PATH`"},
		&urfave.StringFlag{Name: "pid-file", Usage: "write the process id to `FILE`"},
		&urfave.StringFlag{Name: "pidfd-socket", Usage: "send a pidfd of the process to the unix socket `PATH`"},
		&urfave.IntFlag{Name: "preserve-fds", Usage: "let the process have descriptors 3 to 3+`N`-1 too"},
	}
}

func bundleFlag() urfave.Flag {
	return &urfave.StringFlag{Name: "bundle", Aliases: []string{"b"}, Usage: "`DIR` with config.json", Value: "."}
}

func configFlag() urfave.Flag {
	return &urfave.StringFlag{Name: "config", Aliases: []string{"f"}, Usage: "read `FILE` instead of the bundle's config.json"}
}

func createOptions(c *urfave.Context) (libcontainer.CreateOptions, error) {
	preserve, env, err := preserveFDs(c)
	return libcontainer.CreateOptions{
		Env:           env,
		Bundle:        c.String("bundle"),
		Config:        c.String("config"),
		Stdio:         stdio(),
		ConsoleSocket: c.String("console-socket"),
		PidFile:       c.String("pid-file"),
		PidfdSocket:   c.String("pidfd-socket"),
		PreserveFDs:   preserve,
		NoPivot:       c.Bool("no-pivot"),
		NoNewKeyring:  c.Bool("no-new-keyring"),
		Rootless:      rootless(c),
		SystemdCgroup: c.Bool("systemd-cgroup"),
		NotifySocket:  notifySocket(),
	}, err
}

func stdio() [3]*os.File { return [3]*os.File{os.Stdin, os.Stdout, os.Stderr} }

// preserveFDs is how many descriptors after the standard streams the process
// keeps, and what it must be told of them: those of socket activation
// (sd_listen_fds(3)), then those of --preserve-fds. Each must be open, or
// something of hull's own would take its place.
func preserveFDs(c *urfave.Context) (n int, env []string, err error) {
	n = c.Int("preserve-fds")
	if n < 0 {
		return 0, nil, misused(c, "--preserve-fds %d: must not be negative", n)
	}
	if listen := listenFDs(); listen > 0 {
		n += listen
		env = []string{"LISTEN_FDS=" + strconv.Itoa(listen), "LISTEN_PID=1"}
	}
	for fd := 3; fd < 3+n; fd++ {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC != 0 {
			err = unix.EBADF // ours: the caller's would have been closed by exec
		}
		if err != nil {
			return 0, nil, fmt.Errorf("--preserve-fds %d: descriptor %d: %w", n, fd, err)
		}
	}
	return n, env, nil
}

// listenFDs is how many sockets the caller passes, if it is us whom it means.
func listenFDs() int {
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 0 || os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return n
}
