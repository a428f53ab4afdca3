package tests

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"hull/tests/proc"
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
			b.t.Errorf("%s was not reached: %s", op.place(), r)
		}
		for _, pid := range b.processes() {
			if proc.Killed(pid) { // as the stage is when its parent ends
				b.ended(pid)
			}
		}
		b.wantRecovery("killed at " + op.place())
		again()
	}
}

// eachStage runs f for each verb that starts a stage, for the program of exec or for hooks of
// start and delete, with the operations of these.
func eachStage(t *testing.T, f func(t *testing.T, v change, ops []failpoint)) {
	for _, v := range verbs {
		if slices.Contains([]string{"exec", "start", "delete"}, v.name) {
			t.Run(v.name, func(t *testing.T) {
				_, ops := v.listed(t, v.edits()...)
				f(t, v, ops)
			})
		}
	}
}

func TestParentKilledAtAnyOperationOfOtherVerbsLosesNothing(t *testing.T) {
	eachStage(t, func(t *testing.T, v change, ops []failpoint) {
		if at := slices.IndexFunc(ops, func(op failpoint) bool { return op.name == ready }); at > 0 {
			ops = ops[:at]
		}
		twoAtATime(t, oneOfEachKind(ops, 2), func(b *box, i int, op failpoint) {
			b.bring(v.state)
			b.killedAt(i, op, v.args(b), func() { b.bring(v.state) })
			b.clear()
		}, v.edits()...)
	})
}

// What a failed operation of theirs costs is for other tests: nothing is lost by it.
func TestVerbsWhoseOperationsFailLoseNothing(t *testing.T) {
	eachStage(t, func(t *testing.T, v change, ops []failpoint) {
		twoAtATime(t, oneOfEachKind(ops, 2), func(b *box, i int, op failpoint) {
			for what, errno := range actions(i) {
				b.bring(v.state)
				r := b.hullWith("HULL_FAIL_OP="+op.id+":"+what, v.args(b)...)
				if op.always && !strings.Contains(r.stderr, errno.Error()) {
					b.t.Errorf("%s: the message lacks %q: %s", op.place(), errno, r)
				}
				b.wantRecovery(op.place())
			}
		}, v.edits()...)
	})
}
