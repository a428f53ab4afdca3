//go:build failpoints

// Package fail gives tests a hold on the lines between which hull may be
// killed, or the kernel may refuse. This is the build with the tag failpoints,
// which obeys these environment variables:
//
//	HULL_FAIL_POINT=NAME[#N]:ACTION   at the point NAME, when it is passed for the Nth time:
//	                 ERRNO            it returns the error of this number
//	                 kill             SIGKILL to the process
//	                 stop             SIGSTOP to the process: the test goes on from there
//	HULL_FAIL_OP=P.N:ACTION           at operation N of the plan that is started as number P:
//	                 ERRNO            it fails with this number, tolerated or not
//	                 die              the stage ends without a word
//	                 parent           SIGKILL to the process
//	                 both             SIGKILL to the stage, then to the process
//	HULL_FAIL_LIST=FILE               points and operations are appended to the file, a line each:
//	                                  `point NAME[#N]` or `op P.N always|maybe NAME`
//	HULL_FAIL_OFF=GUARD;…             these guards are off: operations of that name are left out,
//	                                  and Off says so where the guard is none
//	HULL_FAIL_ROOT=DIR                paths of the container are resolved as ordinary ones below DIR
package fail

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// passed counts how often each point, and under the empty name a plan, has
// come by. What hull does between points it does one after the other.
var passed = map[string]int{}

func setting(name string) (where, action string) {
	value := os.Getenv(name)
	if i := strings.LastIndexByte(value, ':'); i >= 0 {
		return value[:i], value[i+1:]
	}
	return "", ""
}

// Point is where a test may fail, kill or stop the process.
func Point(name string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	passed[name]++
	if n := passed[name]; n > 1 {
		name += "#" + strconv.Itoa(n)
	}
	list("point " + name)
	where, action := setting("HULL_FAIL_POINT")
	if where != name {
		return nil
	}
	switch action {
	case "kill":
		kill()
	case "stop": // to this thread, which thus goes no further
		_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
		return nil
	}
	return fmt.Errorf("failpoint %s: %w", name, errno(action))
}

// Plan is where a test may make an operation of a plan fail.
func Plan(p *plan.Plan) {
	number := passed[""]
	passed[""]++
	root := os.Getenv("HULL_FAIL_ROOT")
	for i, op := range p.Ops() {
		if Off(op.Name) {
			op.BreakSkip()
		} else if root != "" {
			op.BreakInRoot(root)
		}
		if Off("wide offsets") {
			op.BreakNarrow()
		}
		when := "always"
		if p.Skippable(i) {
			when = "maybe"
		}
		id := fmt.Sprintf("%d.%d", number, i)
		list(fmt.Sprintf("op %s %s %s", id, when, op.Name))
		where, action := setting("HULL_FAIL_OP")
		if where != id {
			continue
		}
		switch action {
		case "die":
			op.BreakDie()
		case "parent":
			op.BreakAsk(func(*plan.Call) error { kill(); return nil })
		case "both":
			op.BreakAsk(func(c *plan.Call) error {
				_ = unix.PidfdSendSignal(int(c.PidFD.Fd()), unix.SIGKILL, nil, 0)
				kill()
				return nil
			})
		default:
			op.BreakErrno(errno(action))
		}
	}
}

// Off says whether a test wants to see what happens without a guard.
func Off(guard string) bool {
	return slices.Contains(strings.Split(os.Getenv("HULL_FAIL_OFF"), ";"), guard)
}

func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func errno(action string) syscall.Errno {
	n, err := strconv.Atoi(action)
	if err != nil || n <= 0 {
		panic("unknown action " + action)
	}
	return syscall.Errno(n)
}

func list(line string) {
	name := os.Getenv("HULL_FAIL_LIST")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}
