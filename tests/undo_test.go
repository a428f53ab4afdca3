package tests

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// verb is a command that makes the box's container.
func verb(name string, flags ...string) func(*box) []string {
	return func(b *box) []string {
		return append(append([]string{name, "--bundle", b.bundle}, flags...), b.id)
	}
}

var createIt, runIt = verb("create"), verb("run")

// ready is the operation at which create has done its part.
const ready = "report that the container is ready"

func TestFailureAtAnyPointOfCreateLeavesNothing(t *testing.T) {
	defer bystander(t)()
	b := breakable(t)
	points, _ := b.failpoints(createIt(b)...)
	b.must("delete", "--force", b.id)
	if len(points) < 15 {
		t.Fatalf("the points are %v", points)
	}
	for _, i := range sample(len(points)) {
		p := points[i]
		for what, errno := range actions(i) {
			r := b.hullWith("HULL_FAIL_POINT="+p.id+":"+what, createIt(b)...)
			b.wantOneLine(r, p.id, errno)
			b.wantNothingLeftAt(p.id, r)
		}
	}
}

// madeUpFor says whether deleting succeeds where the point fails: what cannot be frozen is killed round by
// round, and a full disk is no reason to keep the container.
func madeUpFor(p failpoint) bool {
	return strings.HasPrefix(p.id, "cgroup.freezing") || strings.HasPrefix(p.id, "file.written")
}

func TestFailureAtAnyPointOfRunLeavesNothing(t *testing.T) {
	defer bystander(t)()
	b := breakable(t)
	points, _ := b.failpoints(runIt(b)...)
	created := indexOf(t, points, "delete.kill") // from here on run deletes what is there
	for _, i := range sample(len(points)) {
		p := points[i]
		for what, errno := range actions(i) {
			r := b.hullWith("HULL_FAIL_POINT="+p.id+":"+what, runIt(b)...)
			if i >= created && madeUpFor(p) {
				r.expect(b, 0)
				continue
			}
			b.wantOneLine(r, p.id, errno)
			if i >= created {
				b.must("delete", b.id)
			}
			b.wantNothingLeftAt(p.id, r)
		}
	}
}

func TestFailureOfAnyOperationOfCreateLeavesNothing(t *testing.T) {
	_, ops := listed(t, createIt)
	ops = ops[:indexOf(t, ops, ready)+1]
	if len(ops) < 100 {
		t.Fatalf("create performs %d operations", len(ops))
	}
	twoAtATime(t, ops, func(b *box, i int, op failpoint) { failOperation(b, i, op, createIt(b)) })
}

func TestFailureOfAnyLateOperationOfRunLeavesNothing(t *testing.T) {
	_, ops := listed(t, runIt)
	ops = ops[indexOf(t, ops, ready):]
	poststop := ops[len(ops)-1].plan()
	twoAtATime(t, ops, func(b *box, i int, op failpoint) {
		if op.plan() != poststop {
			failOperation(b, i, op, runIt(b))
			return
		}
		for what, errno := range actions(i) {
			r := b.hullWith("HULL_FAIL_OP="+op.id+":"+what, runIt(b)...)
			if r.code != 0 || op.always || r.stderr != "" { // or it was not reached
				r.expect(b, 0, "warning", "hooks.poststop[0]", errno.Error())
			}
			b.wantNothingLeftAt(op.place(), r)
		}
	})
}

// failOperation makes one operation fail: with an error of the kernel's, and with the end of the stage.
func failOperation(b *box, i int, op failpoint, args []string) {
	b.t.Helper()
	place := op.place()
	for what, errno := range actions(i) {
		r := b.hullWith("HULL_FAIL_OP="+op.id+":"+what, args...)
		if r.code == 0 && !op.always { // not reached
			b.clear()
			return
		}
		b.wantOneLine(r, place, errno)
		b.wantNothingLeftAt(place, r)
	}
}

func TestDeathOfTheStageLeavesNothing(t *testing.T) {
	_, ops := listed(t, runIt)
	ops = slices.DeleteFunc(oneOfEachKind(ops, 2), func(op failpoint) bool { return !op.always || op.plan() != "0" })
	twoAtATime(t, ops, func(b *box, _ int, op failpoint) {
		place := op.place()
		r := b.hullWith("HULL_FAIL_OP="+op.id+":die", runIt(b)...)
		if r.code != 1 || !strings.Contains(r.stderr, "died while it was being set up") {
			b.t.Errorf("%s: %s", place, r)
		}
		b.wantNothingLeftAt(place, r)
	})
}

func TestDeathOfTheStageOfAHookLeavesNothing(t *testing.T) {
	const died = "[0] (/bin/true): its process died while it was being set up: exit status 9"
	forced := change{"delete", "running", func(b *box) []string { return []string{"delete", "--force", b.id} }}
	for _, v := range []change{{"run", "", runIt}, forced} {
		t.Run(v.name, func(t *testing.T) {
			_, ops := v.listed(t, v.edits()...)
			poststop := ops[len(ops)-1].plan()
			ops = slices.DeleteFunc(ops, func(op failpoint) bool { return !op.always || v.name == "run" && op.plan() == "0" })
			twoAtATime(t, ops, func(b *box, _ int, op failpoint) {
				place := op.place()
				b.bring(v.state)
				r := b.hullWith("HULL_FAIL_OP="+op.id+":die", v.args(b)...)
				if op.plan() == poststop {
					r.expect(b, 0, "warning", "hooks.poststop"+died)
				} else {
					r.expect(b, 1, "hooks.", died)
				}
				b.wantNothingLeftAt(place, r)
			}, v.edits()...)
		})
	}
}

// variants are configurations with operations that the first has not. Some
// make a difference to root alone, or need root: it says why.
var variants = map[string]struct {
	create func(*box) []string
	edit   edit
	root   string
}{
	"user namespace": {createIt, all(userNamespace(100000), func(s *specs.Spec) { s.Linux.Devices = nil }), "it maps ids that are not this user's"},
	"terminal":       {verb("create", "--console-socket", "console"), withTerminal(10, 20), ""},
	"no pivot":       {verb("create", "--no-pivot"), func(*specs.Spec) {}, ""},
	"mapped mounts": {createIt, func(s *specs.Spec) {
		ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 5000, Size: 65536}}
		s.Mounts = append(s.Mounts, specs.Mount{Destination: "/srv", Type: "bind", Source: "/usr", Options: []string{"rbind", "idmap"}, UIDMappings: ids, GIDMappings: ids})
	}, "a mount is mapped by another user namespace than its own"},
}

func TestFailureOfOperationsOfVariantsLeavesNothing(t *testing.T) {
	_, plain := listed(t, createIt)
	for name, v := range variants {
		t.Run(name, func(t *testing.T) {
			if v.root != "" {
				needRoot(t, v.root)
			}
			_, ops := listed(t, v.create, v.edit)
			ops = ops[:indexOf(t, ops, ready)+1]
			ops = slices.DeleteFunc(ops, func(op failpoint) bool {
				return slices.ContainsFunc(plain, func(other failpoint) bool { return op.name == other.name })
			})
			if len(ops) == 0 {
				t.Fatal("this performs nothing but what the first does")
			}
			twoAtATime(t, ops, func(b *box, i int, op failpoint) {
				failOperation(b, i, op, v.create(b))
			}, v.edit)
		})
	}
}

// listed lists the failpoints of a command on a box of its own.
func listed(t *testing.T, command func(*box) []string, edits ...edit) (points, ops []failpoint) {
	t.Helper()
	return change{args: command}.listed(t, edits...)
}

// clear removes what is left of the container.
func (b *box) clear() {
	b.t.Helper()
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}

func TestFailureOfAnyOperationOfExecLeavesTheContainerAlone(t *testing.T) {
	defer bystander(t)()
	b := breakable(t, runProbe("pause"))
	b.must(createIt(b)...)
	b.must("start", b.id)
	exec := []string{"exec", b.id, "/bin/probe", "say", "ran"}
	_, ops := b.failpoints(exec...)
	for _, i := range sample(len(ops)) {
		op := ops[i]
		for _, what := range append(slices.Collect(maps.Keys(actions(i))), "die") {
			r := b.hullWith("HULL_FAIL_OP="+op.id+":"+what, exec...)
			place := op.place()
			if (op.always || r.code != 0 || r.stdout != "ran\n") && (r.code != 255 || len(r.stderr) < 10) {
				t.Errorf("%s: %s", place, r)
			}
			if pids := b.processes(); len(pids) != 1 {
				t.Fatalf("%s: the processes are %v", place, pids)
			}
		}
	}
	b.wantStatus("running")
}

func TestFailureOfAnyOperationOfStartStopsTheContainer(t *testing.T) {
	defer bystander(t)()
	b := breakable(t)
	_, ops := b.failpoints(createIt(b)...)
	b.clear()
	ops = ops[indexOf(t, ops, "wait for start")+1:]
	for _, i := range sample(len(ops)) {
		op := ops[i]
		if op.plan() != "0" { // the plan of a hook
			break
		}
		for what := range actions(i) {
			r := b.hullWith("HULL_FAIL_OP="+op.id+":"+what, createIt(b)...)
			if r.code != 0 {
				t.Errorf("%s belongs to start: %s", op.place(), r)
				continue
			}
			r = b.hull("start", b.id)
			if op.always && r.code != 1 || r.code != 0 && b.state().Status != "stopped" {
				t.Errorf("%s: the status is %s after %s", op.place(), b.state().Status, r)
			}
			b.clear()
		}
	}
}

// What cannot be undone, such as a cgroup that stays busy, is not forgotten.
func TestFailureToUndoLeavesTheRecord(t *testing.T) {
	if underSystemd {
		t.Skip("systemd removes the cgroup before hull does")
	}
	b := breakable(t)
	_, ops := b.failpoints(createIt(b)...)
	b.clear()
	op := ops[indexOf(t, ops, ready)]
	b.env = []string{"HULL_FAIL_OP=" + op.id + ":5", "HULL_FAIL_POINT=cgroup.removed:16"}
	r := b.hull(createIt(b)...)
	b.env = nil
	r.expect(b, 1, "device or resource busy; `delete --force` tries again", "input/output error")
	b.wantStatus("stopped")
	b.wantRecovery("a cgroup that was busy")
	b.wantReusable("a cgroup that was busy")
}
