package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	urfave "github.com/urfave/cli/v2"

	"hull/internal/fail"
	"hull/libcontainer"
	"hull/specconv"
)

func execCommand() *urfave.Command {
	return &urfave.Command{
		Name:      "exec",
		Usage:     "run another process in a container",
		ArgsUsage: "ID COMMAND [ARGUMENT...], or --process FILE ID",
		Flags: append([]urfave.Flag{
			&urfave.StringFlag{Name: "process", Aliases: []string{"p"}, Usage: "read the process, as in config.json, from `FILE`; flags on the process are ignored"},
			&urfave.StringFlag{Name: "cwd", Usage: "work in `DIR`"},
			&urfave.StringSliceFlag{Name: "env", Aliases: []string{"e"}, Usage: "set the variable `NAME=VALUE`"},
			&urfave.BoolFlag{Name: "tty", Aliases: []string{"t"}, Usage: "give it a terminal"},
			&urfave.StringFlag{Name: "user", Aliases: []string{"u"}, Usage: "be the user `UID[:GID]`"},
			&urfave.Int64SliceFlag{Name: "additional-gids", Aliases: []string{"g"}, Usage: "be in the group `GID` too"},
			&urfave.StringSliceFlag{Name: "cap", Aliases: []string{"c"}, Usage: "have the capability `NAME` too"},
			&urfave.StringFlag{Name: "process-label", Usage: "have the SELinux `LABEL`"},
			&urfave.StringFlag{Name: "apparmor", Usage: "be confined by the AppArmor `PROFILE`"},
			&urfave.BoolFlag{Name: "no-new-privs", Usage: "never gain privileges by exec"},
			&urfave.StringSliceFlag{Name: "cgroup", Usage: "run in the sub-cgroup `[CONTROLLER,...:]PATH`"},
			&urfave.BoolFlag{Name: "ignore-paused", Usage: "do it in a paused container too, where it waits for resume"},
			&urfave.BoolFlag{Name: "detach", Aliases: []string{"d"}, Usage: "do not wait for its end"},
		}, processFlags()...),
		Action: execute,
	}
}

func execute(c *urfave.Context) error {
	o := libcontainer.ExecOptions{
		Stdio:         stdio(),
		ConsoleSocket: c.String("console-socket"),
		PidFile:       c.String("pid-file"),
		PidfdSocket:   c.String("pidfd-socket"),
		Cgroup:        c.StringSlice("cgroup"),
		IgnorePaused:  c.Bool("ignore-paused"),
		Detach:        c.Bool("detach"),
	}
	args := c.Args()
	switch {
	case !args.Present():
		return misused(c, "the container's id is missing")
	case c.String("process") == "" && args.Len() == 1:
		return misused(c, "the command to run is missing")
	}
	preserve, env, err := preserveFDs(c)
	if err != nil {
		return err
	}
	o.PreserveFDs = preserve
	err = executeIn(c, args.First(), env, o)
	if _, ok := err.(*Exit); ok || err == nil { //nolint:errorlint // made here, wrapped by nobody
		return err
	}
	return &Exit{execFailed, err}
}

func executeIn(c *urfave.Context, id string, env []string, o libcontainer.ExecOptions) error {
	container, err := find(c, id)
	if err != nil {
		return err
	}
	if path := c.String("process"); path != "" {
		o.Process, err = specconv.LoadProcess(path)
	} else if o.Process, err = container.Process(); err == nil {
		err = amend(c, o.Process)
	}
	if err != nil {
		return err
	}
	o.Process.Env = append(o.Process.Env, env...)
	if o.Detach {
		_, err := container.Exec(o)
		return err
	}
	if o.Process.Terminal {
		if size := terminalSize(); size != nil {
			o.Process.ConsoleSize = size
		}
	}
	f, err := newForeground(false)
	if err != nil {
		return err
	}
	process, err := container.Exec(o)
	if err != nil {
		return err
	}
	return f.stay(process)
}

// amend changes p, the process of the container's configuration, as the flags say.
func amend(c *urfave.Context, p *specs.Process) error {
	p.Args = c.Args().Tail()
	p.Terminal = c.Bool("tty")
	p.Env = append(p.Env, c.StringSlice("env")...)
	if c.IsSet("cwd") {
		p.Cwd = c.String("cwd")
	}
	if c.IsSet("process-label") {
		p.SelinuxLabel = c.String("process-label")
	}
	if c.IsSet("apparmor") {
		p.ApparmorProfile = c.String("apparmor")
	}
	if c.IsSet("no-new-privs") {
		p.NoNewPrivileges = c.Bool("no-new-privs")
	}
	addCapabilities(p, c.StringSlice("cap"))
	for _, gid := range c.Int64Slice("additional-gids") {
		id, err := parseID(strconv.FormatInt(gid, 10))
		if err != nil {
			return misused(c, "--additional-gids: %w", err)
		}
		p.User.AdditionalGids = append(p.User.AdditionalGids, id)
	}
	if c.IsSet("user") {
		if err := parseUser(c.String("user"), &p.User); err != nil {
			return misused(c, "--user: %w", err)
		}
	}
	return nil
}

// addCapabilities adds to the sets that runc's --cap adds to: a capability can
// be ambient only if it is inheritable, see capabilities(7).
func addCapabilities(p *specs.Process, names []string) {
	if len(names) == 0 {
		return
	}
	if p.Capabilities == nil {
		p.Capabilities = &specs.LinuxCapabilities{}
	}
	sets := p.Capabilities
	for _, name := range names {
		sets.Bounding = append(sets.Bounding, name)
		sets.Effective = append(sets.Effective, name)
		sets.Permitted = append(sets.Permitted, name)
		if slices.Contains(sets.Inheritable, name) {
			sets.Ambient = append(sets.Ambient, name)
		}
	}
}

// parseUser reads UID[:GID]; without a group, user keeps its own.
func parseUser(word string, user *specs.User) (err error) {
	uid, gid, both := strings.Cut(word, ":")
	if user.UID, err = parseID(uid); err != nil {
		return err
	}
	if both {
		user.GID, err = parseID(gid)
	}
	return err
}

// parseID reads a user's or group's number; names are the container's own affair.
func parseID(word string) (uint32, error) {
	bits := 32
	if fail.Off("bits of an id") {
		bits = 64
	}
	n, err := strconv.ParseUint(word, 10, bits)
	if err != nil || n == 1<<32-1 { // -1 means "leave alone" to the kernel
		return 0, fmt.Errorf("%q is no id: must be a number from 0 to %d", word, uint32(1<<32-2))
	}
	return uint32(n), nil //nolint:gosec // of 32 bits
}
