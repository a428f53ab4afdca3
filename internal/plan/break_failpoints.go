//go:build failpoints

package plan

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// BreakErrno makes the operation fail with errno, tolerated or not. For tests.
func (o *Op) BreakErrno(errno syscall.Errno) {
	o.become(kindNop, uint64(-int64(errno))) //nolint:gosec // the stage sees what a system call returns
}

// BreakDie makes the stage end there without a word, as if killed: to the
// kernel and to the parent that is the same. For tests.
func (o *Op) BreakDie() { o.become(unix.SYS_EXIT_GROUP, 9) }

// BreakAsk makes the stage ask the parent to run fn there. For tests.
func (o *Op) BreakAsk(fn func(*Call) error) {
	o.become(kindAsk, 0)
	o.handler = fn
}

func (o *Op) become(kind uint32, arg uint64) {
	o.kind, o.kinds, o.args, o.errnos = kind, [6]argKind{}, [6]uint64{arg}, [6]uint16{}
}

// Skippable says whether the plan may go on without operation n, because one
// before it goes on at a label behind it. For tests.
func (p *Plan) Skippable(n int) bool {
	for i, o := range p.ops[:n] {
		for _, l := range []Label{o.onErr, o.onOK} {
			if l != Next && i < n && p.labels[l] > n {
				return true
			}
		}
	}
	return false
}
