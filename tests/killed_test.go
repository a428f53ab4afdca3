package tests

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// change is a command that changes a container.
type change struct {
	name  string
	state string // what has to be there first: created, running, paused, or empty for no container
	args  func(*box) []string
}

var verbs = []change{
	{"create", "", createIt},
	{"run", "", runIt},
	{"start", "created", func(b *box) []string { return []string{"start", b.id} }},
	{"exec", "running", func(b *box) []string { return []string{"exec", b.id, "/bin/probe", "say", "ran"} }},
	{"update", "running", func(b *box) []string {
		return []string{"update", "--pids-limit", "40", "--memory", "80M", "--cpu-share", "512", b.id}
	}},
	{"pause", "running", func(b *box) []string { return []string{"pause", b.id} }},
	{"resume", "paused", func(b *box) []string { return []string{"resume", b.id} }},
	{"kill", "running", func(b *box) []string { return []string{"kill", b.id, "KILL"} }},
	{"kill all", "running", func(b *box) []string { return []string{"kill", "--all", b.id, "KILL"} }},
	{"kill a paused one", "paused", func(b *box) []string { return []string{"kill", b.id, "KILL"} }},
	{"delete", "created", func(b *box) []string { return []string{"delete", "--force", b.id} }},
	{"delete a paused one", "paused", func(b *box) []string { return []string{"delete", "--force", b.id} }},
}

// edits make a container that is there for the command, and ends with it.
func (v change) edits() []edit {
	if v.name == "run" {
		return nil
	}
	return []edit{runProbe("pause")}
}

// listed lists the failpoints of the command on a box of its own.
func (v change) listed(t *testing.T, edits ...edit) (points, ops []failpoint) {
	t.Helper()
	b := breakable(t, edits...)
	b.bring(v.state)
	points, ops = b.failpoints(v.args(b)...)
	b.clear()
	return points, ops
}

// bring makes the container and brings it into the state.
func (b *box) bring(state string) {
	b.t.Helper()
	if state == "" {
		return
	}
	b.must(createIt(b)...)
	if state != "created" {
		b.must("start", b.id)
	}
	if state == "paused" {
		b.must("pause", b.id)
	}
}

// wantRecovery asserts that what a killed command has left is shown and can be deleted.
func (b *box) wantRecovery(place string) {
	b.t.Helper()
	listed := b.hull("list", "--format", "json")
	state := b.hull("state", b.id)
	switch {
	case listed.code != 0:
		b.t.Errorf("%s: %s", place, listed)
	case state.code != 0 && !strings.Contains(state.stderr, b.id+": "):
		b.t.Errorf("%s: %s", place, state)
	case (state.code == 0) != strings.Contains(listed.stdout, `"`+b.id+`"`):
		b.t.Errorf("%s: list and state do not agree: %s\n%s", place, listed, state)
	}
	if r := b.hull("delete", "--force", b.id); r.code != 0 || r.stderr != "" {
		b.t.Errorf("%s: %s", place, r)
	}
	b.wantNothingLeftAt(place, state)
}

// wantReusable asserts that nothing is in the way of another container with the same id.
func (b *box) wantReusable(place string) {
	b.t.Helper()
	r := b.hull(createIt(b)...)
	if r.code != 0 {
		b.t.Errorf("%s: the id cannot be used again: %s", place, r)
	}
	b.must("delete", "--force", b.id)
	b.wantNothingLeftAt(place+", the next one", r)
}

// fewPasses drops most of the passes of the same point: one for each cgroup hierarchy, say.
func fewPasses(points []failpoint) []failpoint {
	return slices.DeleteFunc(points, func(p failpoint) bool {
		_, n, again := strings.Cut(p.id, "#")
		return again && n != "2" && n != "7" && !whole
	})
}

// bystander is a running container that nothing of this may touch.
func bystander(t *testing.T) (stillThere func()) {
	t.Helper()
	b := running(t)
	before := b.state()
	return func() {
		t.Helper()
		if after := b.state(); after.Status != "running" || after.Pid != before.Pid {
			t.Errorf("another container was %+v and is %+v", before, after)
		}
	}
}

func TestVerbsKilledAtAnyPointLoseNothing(t *testing.T) {
	for _, v := range someOf(verbs) {
		t.Run(v.name, func(t *testing.T) {
			points, _ := v.listed(t, v.edits()...)
			if v.name != "create" && v.name != "delete" {
				points = fewPasses(points)
			}
			twoAtATime(t, points, func(b *box, i int, p failpoint) {
				b.bring(v.state)
				if r := b.hullWith("HULL_FAIL_POINT="+p.id+":kill", v.args(b)...); r.code != -int(unix.SIGKILL) {
					b.t.Errorf("%s: was not killed: %s", p.id, r)
				}
				b.wantRecovery("killed at " + p.id)
				if v.state == "" || i == len(points)-1 {
					b.wantReusable("killed at " + p.id)
				}
			}, v.edits()...)
		})
	}
}

func TestVerbsFailedAtAnyPointLoseNothing(t *testing.T) {
	for _, v := range someOf(verbs[2:]) { // create and run have to leave nothing, which is another test
		t.Run(v.name, func(t *testing.T) {
			points, _ := v.listed(t, v.edits()...)
			twoAtATime(t, fewPasses(points), func(b *box, i int, p failpoint) {
				for what, errno := range actions(i) {
					b.bring(v.state)
					r := b.hullWith("HULL_FAIL_POINT="+p.id+":"+what, v.args(b)...)
					if v.state != "" && v.name != "pause" && madeUpFor(p) {
						r.expect(b, 0)
					} else {
						b.wantOneLine(r, p.id, errno)
					}
					if v.name == "pause" {
						b.wantStatus("running")
					}
					b.wantRecovery("failed at " + p.id)
				}
			}, v.edits()...)
		})
	}
}

// The container's process dies at each point, then hull goes on or dies too.
func TestVerbsWhoseContainerDiesLoseNothing(t *testing.T) {
	for _, v := range someOf(verbs) {
		t.Run(v.name, func(t *testing.T) {
			points, _ := v.listed(t, v.edits()...)
			twoAtATime(t, fewPasses(points), func(b *box, i int, p failpoint) {
				for n, end := range []unix.Signal{unix.SIGCONT, unix.SIGKILL} {
					if n != i/2%2 && !whole {
						continue
					}
					b.bring(v.state)
					l := b.stopped(p.id, v.args(b)...)
					for _, pid := range b.inCgroup() {
						b.check(unix.Kill(pid, unix.SIGKILL))
					}
					b.check(l.cmd.Process.Signal(end))
					if r := l.wait(); strings.Contains(r.stderr, "goroutine ") {
						b.t.Errorf("%s: %s", p.id, r)
					}
					b.wantRecovery("container killed at " + p.id)
				}
			}, v.edits()...)
		})
	}
}

func TestExecKilledBeforeItsProgramRunsLeavesNoProcess(t *testing.T) {
	b := breakable(t, runProbe("pause"))
	b.bring("running")
	init := b.state().Pid
	exec := []string{"exec", b.id, "/bin/probe", "say", "ran"}
	points, _ := b.failpoints(exec...)
	for _, i := range sample(indexOf(t, points, ready) + 1) {
		p := points[i]
		r := b.hullWith("HULL_FAIL_POINT="+p.id+":kill", exec...)
		for _, pid := range b.inCgroup() {
			if pid != init {
				b.ended(pid) // of itself
			}
		}
		if r.stdout != "" {
			t.Errorf("%s: the program ran: %s", p.id, r)
		}
	}
	b.wantStatus("running")
}

// inCgroup are the processes in the container's cgroups.
func (b *box) inCgroup() []int {
	b.t.Helper()
	var pids []int
	for _, dir := range b.cgroups() {
		data, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		for field := range strings.FieldsSeq(string(data)) {
			pid, err := strconv.Atoi(field)
			b.check(err)
			pids = append(pids, pid)
		}
	}
	return pids
}
