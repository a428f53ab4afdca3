// Package torture kills a runtime's commands at times that sweep over the
// whole of their duration, and counts what `delete --force` then leaves behind.
//
//	go test ./tests/torture -v -args -kills 1000 -step 100us -verbs create,delete -runtime /usr/sbin/runc -control
package torture

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

var (
	kills   = flag.Int("kills", 30, "kill each command so many times")
	step    = flag.Duration("step", 700*time.Microsecond, "the distance between the times of two kills")
	only    = flag.String("verbs", "create,delete", "the commands to kill, or all")
	tested  = flag.String("runtime", os.Getenv("HULL"), "the runtime, hull by default")
	control = flag.Bool("control", false, "leftovers are no failure: the runtime is one to compare with")
)

// verbs are the commands that change a container: what has to be there first, and the command.
var verbs = []struct {
	name  string
	state string // created, running or paused; empty for no container
	args  []string
}{
	{"create", "", []string{"create", "--bundle", "bundle", id}},
	{"run", "", []string{"run", "--detach", "--bundle", "bundle", id}},
	{"start", "created", []string{"start", id}},
	{"exec", "running", []string{"exec", "--detach", id, "/bin/sleep", "1000"}},
	{"update", "running", []string{"update", "--pids-limit", "40", "--memory", "80000000", id}},
	{"pause", "running", []string{"pause", id}},
	{"resume", "paused", []string{"resume", id}},
	{"kill", "running", []string{"kill", id, "KILL"}},
	{"delete", "running", []string{"delete", "--force", id}},
	{"delete-paused", "paused", []string{"delete", "--force", id}},
}

func TestKillsAtAnyTimeLeaveNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: this makes containers")
	}
	w := newWorld(t)
	stillThere := w.bystander()
	for _, v := range verbs {
		if *only != "all" && !slices.Contains(strings.Split(*only, ","), v.name) {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			w.t = t
			w.sweep(v.state, v.args)
		})
	}
	w.t = t
	stillThere()
}

// bystander is another container of the same state root, which nothing may touch.
func (w *world) bystander() (stillThere func()) {
	w.t.Helper()
	w.must("create", "--bundle", "bystander", bystanderID)
	w.must("start", bystanderID)
	w.t.Cleanup(func() { w.must("delete", "--force", bystanderID) })
	before := w.state(bystanderID)
	if before.Status != specs.StateRunning {
		w.t.Fatalf("the other container is %+v", before)
	}
	return func() {
		w.t.Helper()
		if after := w.state(bystanderID); after.Status != before.Status || after.Pid != before.Pid {
			w.t.Errorf("another container was %+v and is %+v", before, after)
		}
	}
}

func (w *world) state(id string) (s specs.State) {
	w.t.Helper()
	out, err := w.command("state", id).Output()
	w.check(err)
	w.check(json.Unmarshal(out, &s))
	return s
}

// shift moves each sweep against the one before it.
const shift = 37 * time.Microsecond

// sweep kills a command again and again, a little later each time, and
// beginning anew when it comes to its end first.
func (w *world) sweep(state string, args []string) {
	w.t.Helper()
	seen := map[string]int{}
	left, n, done := 0, 0, 0
	delay := time.Duration(0)
	for round := 1; n < *kills; delay += *step {
		w.bring(state)
		if !w.kill(delay, args) {
			done++
			delay = time.Duration(round) * shift % *step
			round++
			w.clean()
			w.reset()
			continue
		}
		n++
		status := w.ask()
		code := w.clean()
		rest := w.settled()
		if len(rest) > 0 || code != 0 {
			left++
			if !*control {
				w.t.Logf("after %s: %v, %s", delay, rest, w.describe())
			}
			w.reset()
		}
		if state == "" { // else the next round makes one anyway
			w.must("create", "--bundle", "bundle", id)
			w.must("delete", "--force", id)
		}
		seen[fmt.Sprintf("%s, delete exits with %d, left: %s", status, code, strings.Join(rest, " "))]++
	}
	keys := slices.SortedFunc(maps.Keys(seen), func(a, b string) int { return seen[b] - seen[a] })
	w.t.Logf("%s %s: %d killed, %d came to their end first, leftovers per 1000 kills: %d", filepath.Base(w.runtime), args[0], n, done, left*1000/max(n, 1))
	for _, key := range keys {
		w.t.Logf("%6d %s", seen[key], key)
	}
	if left > 0 && !*control {
		w.t.Errorf("%d of %d kills left something", left, n)
	}
}

// bring makes the container and brings it into the state.
func (w *world) bring(state string) {
	w.t.Helper()
	if state == "" {
		return
	}
	w.must("create", "--bundle", "bundle", id)
	if state != "created" {
		w.must("start", id)
	}
	if state == "paused" {
		w.must("pause", id)
	}
}

// kill starts a command and kills it after the delay, and says whether it came before the end.
func (w *world) kill(delay time.Duration, args []string) bool {
	w.t.Helper()
	cmd := w.command(args...)
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	begin := time.Now()
	for wait := delay; wait > 0; wait = delay - time.Since(begin) {
		if wait > 2*time.Millisecond { // the timer is late by a part of this
			time.Sleep(wait - time.Millisecond)
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return !cmd.ProcessState.Exited()
}

// ask is the status that the runtime tells, if any.
func (w *world) ask() string {
	w.t.Helper()
	list, err := w.command("list").CombinedOutput()
	out, serr := w.command("state", id).CombinedOutput()
	if strings.Contains(string(list)+string(out), "goroutine ") {
		w.t.Errorf("list or state crashed: %s\n%s", list, out)
	}
	if err != nil && !*control {
		w.t.Errorf("list: %v: %s", err, list)
	}
	if serr != nil {
		return "no status"
	}
	for _, status := range []string{"creating", "created", "running", "paused", "stopped"} {
		if strings.Contains(string(out), fmt.Sprintf("%q: %q", "status", status)) {
			return status
		}
	}
	return "odd status"
}

// clean deletes the container and returns the exit code.
func (w *world) clean() int {
	w.t.Helper()
	cmd := w.command("delete", "--force", id)
	_ = cmd.Start()
	timer := time.AfterFunc(15*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.Command(w.runtime, append([]string{"--root", "root"}, args...)...)
	cmd.Dir = w.dir // by which its processes are known
	return cmd
}

func (w *world) must(args ...string) {
	w.t.Helper()
	cmd := w.command(args...)
	var text strings.Builder
	if args[0] != "create" { // whose container would keep the pipe open
		cmd.Stderr = &text
	}
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("%s: %v %s", strings.Join(args, " "), err, text.String())
	}
}
