// Package cli is hull's command line: one command per file. The commands
// parse and print; what they do is in package libcontainer.
//
// The flags, their meaning and the output are runc's wherever an engine
// relies on them; docs/engines.md says which does on what.
package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	urfave "github.com/urfave/cli/v2"

	"hull/internal/sys"
	"hull/internal/trace"
)

// Run performs the command line args, args[0] being hull itself, and writes
// the command's output to out. The error, if any, is still to be printed.
// born tells when the process began.
func Run(args []string, out io.Writer, born func() time.Time) error {
	slog.SetDefault(slog.New(terminalLog{os.Stderr, slog.LevelWarn})) // until the flags say otherwise
	o := &output{w: out}
	app := newApp(args, o)
	app.Metadata = map[string]any{bornKey: born}
	err := explained(app.Run(permute(app, args)))
	if err == nil {
		err = o.err
	}
	if terr := trace.Close(); err == nil {
		err = terr
	}
	return err
}

// explained adds what only the system as a whole can say of an error.
func explained(err error) error {
	exit, ok := errors.AsType[*Exit](err)
	if !ok {
		return sys.Missing(err)
	}
	return &Exit{exit.Code, sys.Missing(exit.Err)}
}

// output remembers the first error of writing: not every printer of urfave's passes it on.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// newApp makes what the command line args is about.
func newApp(args []string, out io.Writer) *urfave.App {
	urfave.VersionPrinter = func(c *urfave.Context) { printVersion(c.App.Writer, args[0]) }
	flags := withNames(globalFlags())
	return &urfave.App{
		Name:    "hull",
		Usage:   "run containers as the Open Container Initiative specifies",
		Version: version,
		Writer:  out,
		Flags:   flags,
		Before:  applyGlobalFlags,
		Action:  noCommand,

		Commands:                  commandsFor(args[commandAt(flags, args):]),
		OnUsageError:              usageError,
		ExitErrHandler:            func(*urfave.Context, error) {}, // main does that
		DisableSliceFlagSeparator: true,                            // `--env A=1,2` is one variable
		Compiled:                  time.Unix(1, 0),                 // else urfave looks for our executable
	}
}

// commands are all there are.
var commands = []struct {
	name string
	make func() *urfave.Command
}{
	{"create", createCommand},
	{"start", startCommand},
	{"run", runCommand},
	{"exec", execCommand},
	{"kill", killCommand},
	{"delete", deleteCommand},
	{"state", stateCommand},
	{"list", listCommand},
	{"ps", psCommand},
	{"pause", pauseCommand},
	{"resume", resumeCommand},
	{"update", updateCommand},
	{"events", eventsCommand},
	{"checkpoint", checkpointCommand},
	{"restore", restoreCommand},
	{"spec", specCommand},
	{"features", featuresCommand},
	{"plan", planCommand},
}

// commandsFor makes the command that args begin with, and not the others, which
// would take time; or all, if none has that name.
func commandsFor(args []string) []*urfave.Command {
	var list []*urfave.Command
	for _, c := range commands {
		if len(args) > 0 && c.name == args[0] {
			return []*urfave.Command{withUsageErrors(c.make())}
		}
	}
	for _, c := range commands {
		list = append(list, withUsageErrors(c.make()))
	}
	return list
}

func withUsageErrors(c *urfave.Command) *urfave.Command {
	c.OnUsageError = usageError
	c.Flags = withNames(c.Flags)
	c.HideHelpCommand = true // a container may be called help
	return c
}

// noCommand is reached when no command has the name given.
func noCommand(c *urfave.Context) error {
	if c.Args().Present() {
		return fmt.Errorf("unknown command %q (see `hull help`)", c.Args().First())
	}
	return urfave.ShowAppHelp(c)
}

// usageError explains a command line that cannot be parsed.
func usageError(c *urfave.Context, err error, isCommand bool) error {
	if !isCommand {
		return fmt.Errorf("%w (see `hull help`)", err)
	}
	return misused(c, "%w", err)
}

// misused is the error for a command line that parses and makes no sense.
func misused(c *urfave.Context, format string, args ...any) error {
	name := c.Command.Name
	return fmt.Errorf("%s: %w (see `hull %s --help`)", name, fmt.Errorf(format, args...), name)
}

// operand returns the one operand that most commands take, the container's id.
func operand(c *urfave.Context) (string, error) {
	list, err := operands(c, 1, 1)
	if err != nil {
		return "", err
	}
	return list[0], nil
}

// operands returns the operands, of which there must be between least and most; the first is an id.
func operands(c *urfave.Context, least, most int) ([]string, error) {
	list := c.Args().Slice()
	if len(list) > 0 && list[0] == "--" {
		list = list[1:]
	}
	switch {
	case len(list) == 0 && least > 0:
		return nil, misused(c, "the container's id is missing")
	case len(list) < least:
		return nil, misused(c, "an argument is missing after %q", list[len(list)-1])
	case len(list) > most:
		return nil, misused(c, "unexpected argument %q", list[most])
	}
	return list, nil
}
