package main

/*
#include <fcntl.h>
#include <unistd.h>

static int closed;

// Before the Go runtime opens /dev/null for each standard stream that is closed.
__attribute__((constructor)) static void look(void) { closed = fcntl(STDOUT_FILENO, F_GETFD) < 0; }

static int stdout_was_closed(void) { return closed; }
*/
import "C"

import (
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// stdout is standard output. Where the caller has closed it, writing fails:
// the /dev/null in its place would swallow what the command was run for.
func stdout() io.Writer {
	if C.stdout_was_closed() != 0 {
		return noOutput{}
	}
	return os.Stdout
}

type noOutput struct{}

// Write is of [io.Writer].
func (noOutput) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: unix.EBADF}
}
