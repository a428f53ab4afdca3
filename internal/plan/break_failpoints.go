//go:build failpoints

package plan

import "golang.org/x/sys/unix"

// Break makes the operation fail with ENOSYS, tolerated or not. With die the
// stage ends there without a word, as if killed: to the kernel and to the
// parent that is the same. For tests.
func (o *Op) Break(die bool) {
	o.kind, o.errnos = 0xffff, [6]uint16{} // no system call has this number
	if die {
		o.kind, o.kinds, o.args = unix.SYS_EXIT_GROUP, [6]argKind{}, [6]uint64{9}
	}
}
