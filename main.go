// The Go runtime need not follow our cgroup's CPU limit, with files of it kept
// open, to choose how many threads to have: one does the work.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// hull is an OCI container runtime: it runs the process of a bundle in a
// container. See README.md for its use, docs/design.md for how it is built.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"hull/internal/cli"
)

func main() {
	// Most commands end before they have 4 MiB of garbage to collect; the
	// limit is for those that stay, such as run in the foreground.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(32 << 20)

	err := cli.Run(os.Args, stdout(), born)
	if err == nil {
		return
	}
	code := 1
	if exit, ok := errors.AsType[*cli.Exit](err); ok {
		code = exit.Code
	}
	if err.Error() != "" {
		slog.Error(err.Error()) // to --log
		fmt.Fprintln(os.Stderr, "hull:", err)
	}
	os.Exit(code)
}
