package tests

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Commands that are killed, and fail, while a stage of theirs performs its plan.

func TestParentKilledAtAnyOperationLosesNothing(t *testing.T) {
	_, ops := listed(t, createIt)
	ops = oneOfEachKind(ops[:indexOf(t, ops, ready)], 3)
	twoAtATime(t, ops, func(b *box, i int, op failpoint) {
		b.killedAt(i, op, createIt(b), func() {})
	})
}

// killedAt kills the parent at an operation, or the stage and the parent.
func (b *box) killedAt(i int, op failpoint, args []string, again func()) {
	b.t.Helper()
	for n, what := range []string{"parent", "both"} {
		if n != i%2 && !whole {
			continue
		}
		r := b.hullWith("HULL_FAIL_OP="+op.id+":"+what, args...)
		if r.code != -int(unix.SIGKILL) && (op.always || r.code != 0) {
			b.t.Errorf("operation %s (%s) was not reached: %s", op.id, op.name, r)
		}
		b.wantRecovery("killed at operation " + op.id + " (" + op.name + ")")
		again()
	}
}

// stages are the verbs that start a stage: for the program of exec, for hooks of start and delete.
var stages = []string{"exec", "start", "delete"}

func TestParentKilledAtAnyOperationOfOtherVerbsLosesNothing(t *testing.T) {
	for _, v := range verbs {
		if !slices.Contains(stages, v.name) {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			b := breakable(t, runProbe("pause"))
			b.bring(v.state)
			_, ops := b.failpoints(v.args(b)...)
			b.clear()
			if at := slices.IndexFunc(ops, func(op failpoint) bool { return op.name == ready }); at > 0 {
				ops = ops[:at]
			}
			twoAtATime(t, oneOfEachKind(ops, 2), func(b *box, i int, op failpoint) {
				b.bring(v.state)
				b.killedAt(i, op, v.args(b), func() { b.bring(v.state) })
				b.clear()
			}, runProbe("pause"))
		})
	}
}

// What a failed operation of theirs costs is for other tests: nothing is lost by it.
func TestVerbsWhoseOperationsFailLoseNothing(t *testing.T) {
	for _, v := range verbs {
		if !slices.Contains(stages, v.name) {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			b := breakable(t, runProbe("pause"))
			b.bring(v.state)
			_, ops := b.failpoints(v.args(b)...)
			b.clear()
			twoAtATime(t, oneOfEachKind(ops, 2), func(b *box, i int, op failpoint) {
				for what, errno := range actions(i) {
					b.bring(v.state)
					place := "operation " + op.id + " (" + op.name + ")"
					r := b.hullWith("HULL_FAIL_OP="+op.id+":"+what, v.args(b)...)
					if op.always && !strings.Contains(r.stderr, errno.Error()) {
						b.t.Errorf("%s: the message lacks %q: %s", place, errno, r)
					}
					b.wantRecovery(place)
				}
			}, runProbe("pause"))
		})
	}
}
