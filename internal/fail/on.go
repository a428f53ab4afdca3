//go:build failpoints

// Package fail gives tests a hold on the lines between which hull may be
// killed, or the kernel may refuse. This is the build with the tag failpoints.
//
// HULL_FAIL_POINT is NAME:ACTION, with ACTION an errno's number, or `kill`:
// the process kills itself there. HULL_FAIL_OP is NUMBER:ACTION for an
// operation of the stage's plan, with `kill` for a stage that dies there.
// HULL_FAIL_LIST names a file to which every point passed, and the plan's length, is appended.
package fail

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"hull/internal/plan"
)

func setting(name string) (where, action string) {
	where, action, _ = strings.Cut(os.Getenv(name), ":")
	return where, action
}

// Point is where a test may fail or kill the process.
func Point(name string) error {
	list("point " + name)
	where, action := setting("HULL_FAIL_POINT")
	if where != name {
		return nil
	}
	if action == "kill" {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	errno, err := strconv.Atoi(action)
	if err != nil {
		return fmt.Errorf("HULL_FAIL_POINT: %w", err)
	}
	return fmt.Errorf("failpoint %s: %w", name, syscall.Errno(errno))
}

// Plan is where a test may make an operation of a plan fail.
func Plan(p *plan.Plan) {
	list(fmt.Sprintf("ops %d", len(p.Ops())))
	where, action := setting("HULL_FAIL_OP")
	n, err := strconv.Atoi(where)
	if err != nil || n >= len(p.Ops()) {
		return
	}
	p.Ops()[n].Break(action == "kill")
}

func list(line string) {
	name := os.Getenv("HULL_FAIL_LIST")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintln(f, line)
		f.Close()
	}
}
