package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"hull/internal/sys"
)

// openLog makes slog write where --log says, as --log-format says.
//
// Engines take a whole JSON log for one object (podman) or its last error
// (containerd), so that by default a file is told of errors only.
func openLog(c *urfave.Context) error {
	level, err := logLevel(c)
	if err != nil {
		return err
	}
	format := c.String("log-format")
	if format != "text" && format != "json" {
		return fmt.Errorf("--log-format %q: must be text or json", format)
	}
	name := c.String("log")
	if name == "" {
		slog.SetDefault(slog.New(terminalLog{os.Stderr, level}))
		return nil
	}
	file, err := sys.Open(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("--log: %w", err)
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: logAttr}
	if format == "json" {
		slog.SetDefault(slog.New(slog.NewJSONHandler(file, options)))
	} else {
		slog.SetDefault(slog.New(slog.NewTextHandler(file, options)))
	}
	return nil
}

func logLevel(c *urfave.Context) (slog.Level, error) {
	name := c.String("log-level")
	switch {
	case c.Bool("debug"):
		name = "debug"
	case name == "" && c.String("log") == "":
		name = "warning"
	case name == "":
		name = "error"
	}
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if levelName(l) == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("--log-level %q: must be debug, info, warning or error", name)
}

func levelName(l slog.Level) string {
	if l == slog.LevelWarn {
		return "warning"
	}
	return strings.ToLower(l.String())
}

// logAttr writes levels in lower case and times in whole seconds, as readers of runc's log know them.
func logAttr(groups []string, a slog.Attr) slog.Attr {
	switch {
	case len(groups) > 0:
		return a
	case a.Key == slog.TimeKey:
		return slog.String(a.Key, a.Value.Time().Format(time.RFC3339))
	case a.Key == slog.LevelKey:
		if l, ok := a.Value.Any().(slog.Level); ok {
			return slog.String(a.Key, levelName(l))
		}
	}
	return a
}

// terminalLog shows a person warnings and, if asked for, debug messages.
// Errors are main's to print.
type terminalLog struct {
	w     io.Writer
	level slog.Level
}

// Enabled is of [slog.Handler].
func (t terminalLog) Enabled(_ context.Context, l slog.Level) bool {
	return l >= t.level && l < slog.LevelError
}

// Handle is of [slog.Handler].
func (t terminalLog) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "hull: %s: %s", levelName(r.Level), r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	})
	b.WriteByte('\n')
	_, err := io.WriteString(t.w, b.String())
	return err
}

// WithAttrs and WithGroup are of [slog.Handler]; hull's loggers have neither.
func (t terminalLog) WithAttrs([]slog.Attr) slog.Handler { return t }

// WithGroup is of [slog.Handler].
func (t terminalLog) WithGroup(string) slog.Handler { return t }
