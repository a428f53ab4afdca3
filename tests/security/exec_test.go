package security

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The moments when hull's own process is inside a container that is running.

// stepped is hull built with failpoints and with every guard on.
var stepped = target{name: "hull with failpoints", fails: true, line: failing}

// stopAt runs a command of hull's until it stops at the failpoint, and returns what lets it go on to its end.
func (b *bundle) stopAt(point string, args ...string) (goOn func()) {
	b.Helper()
	b.vars = []string{"HULL_FAIL_POINT=" + point + ":stop"}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	cmd := b.command(ctx, args...)
	b.vars = nil
	b.check(cmd.Start())
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(cmd.Process.Pid, &status, unix.WUNTRACED, nil)
		if !errors.Is(err, unix.EINTR) {
			b.check(err)
			break
		}
	}
	if !status.Stopped() {
		cancel()
		b.Fatalf("%v did not come to %s: %v", args, point, status)
	}
	return func() {
		b.check(cmd.Process.Signal(unix.SIGCONT))
		_ = cmd.Wait()
		cancel()
	}
}

// grab lets a process of the container look for a file of the host through
// everything that it can reach of other processes.
func grab(b *bundle, file string) string {
	b.Helper()
	host := fmt.Sprint("/", os.Getpid(), "/root", file)
	script := `for p in /proc/[0-9]*; do for d in $p/root $p/cwd $p/fd/*; do
		cat $d` + file + ` $d` + host + ` 2>/dev/null && echo through $d: $(readlink $d); done; done; true`
	return b.runtime("exec", b.id, "/bin/sh", "-c", script).out
}

// A container that may trace processes looks at those of exec, at each of its steps.
func TestCVE_2016_9962_ExecHoldsAFileOfTheHost(t *testing.T) {
	a := func(b *bundle) string {
		b.privileged()
		dir := b.canary("canary")
		b.payload("sleep 1000")
		b.start()
		for _, point := range []string{"stage.forked", "report that the container is ready"} {
			goOn := b.stopAt(point, "exec", b.id, "/bin/true")
			won := grab(b, dir+"/file")
			goOn()
			if won != "" {
				return point + ": " + won
			}
		}
		return ""
	}
	replayOn(t, stepped, a, without("close the host's procfs"))
}

// peek lets a process of the container open the memory of those of hull's that it sees.
func peek(b *bundle) string {
	b.Helper()
	script := `for p in /proc/[0-9]*; do case $(cat $p/comm) in hull*) echo $p is seen >&2; (exec 3<$p/mem) 2>/dev/null && echo memory of $p; esac; done; true`
	r := b.runtime("exec", b.id, "/bin/sh", "-c", script)
	if !strings.Contains(r.err, "is seen") {
		b.Errorf("hull's process was not found, which proves nothing: %s", r)
	}
	return r.out
}

// In a user namespace of its own a container may trace what is dumpable there, whoever it belonged to before.
func TestCVE_2016_9962_ExecCanBeTraced(t *testing.T) {
	a := func(b *bundle) string {
		b.privileged()
		b.edit(mapped)
		b.payload("sleep 1000")
		b.start()
		for _, point := range []string{"stage.forked", "report that the container is ready"} {
			goOn := b.stopAt(point, "exec", b.id, "/bin/true")
			won := peek(b)
			goOn()
			if won != "" {
				return point + ": " + won
			}
		}
		return ""
	}
	replayOn(t, stepped, a, without("prctl dumpable"))
}
