//go:build failpoints

package plan

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
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

// BreakSkip leaves the operation out, as if it had succeeded. For tests that
// want to see an attack succeed which it guards against.
func (o *Op) BreakSkip() { o.become(kindNop, 0) }

// BreakNarrow stores in 16 bits where the data of the operation are, as a
// protocol whose lengths have no more would. For tests.
func (o *Op) BreakNarrow() {
	for i, kind := range o.kinds {
		if kind == argBlob {
			o.args[i] &= 0xfff8
		}
	}
}

// BreakInRoot resolves the paths of the container as ordinary ones below root:
// links lead wherever they point to, as they did in runtimes that joined strings. For tests.
func (o *Op) BreakInRoot(root string) {
	name, _, _ := strings.Cut(o.Name, "/")
	what := path.Join(root, strings.TrimPrefix(o.Name, name))
	switch {
	case o.kind == kindMkdir || o.kind == kindMkfile:
		dir, dst := o.kind == kindMkdir, o.dst
		o.become(kindAsk, 1)
		o.dst = dst
		o.handler = func(c *Call) error { return makeByPath(c, what, dir) }
	case o.kind == unix.SYS_OPENAT2 && o.kinds[0] == argReg && o.inRoot():
		dst, on, errnos := o.dst, o.onErr, o.errnos
		kind, arg := Str(what).arg(o.plan)
		cwd := unix.AT_FDCWD
		o.become(unix.SYS_OPENAT, uint64(cwd))
		o.kinds[1], o.args[1], o.args[2] = kind, arg, unix.O_PATH|unix.O_CLOEXEC
		o.dst, o.onErr, o.errnos = dst, on, errnos
	}
}

// inRoot says whether an openat2 keeps to the root it is given.
func (o *Op) inRoot() bool {
	const resolveAt = 16 // struct open_how
	return o.plan.data[o.args[2]+resolveAt]&unix.RESOLVE_IN_ROOT != 0
}

// makeByPath makes and opens a directory or a file in the mount namespace of the stage.
func makeByPath(c *Call, what string, dir bool) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends
		result <- func() error {
			ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", c.Pid))
			if err != nil {
				return err
			}
			defer ns.Close()
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				return err
			}
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS); err != nil {
				return err
			}
			if dir {
				err = os.MkdirAll(what, 0o755)
			} else if err = os.MkdirAll(path.Dir(what), 0o755); err == nil {
				var f *os.File
				if f, err = os.OpenFile(what, os.O_CREATE|os.O_RDONLY|unix.O_NONBLOCK, 0o644); err == nil {
					f.Close()
				}
			}
			if err != nil {
				return err
			}
			fd, err := unix.Open(what, unix.O_PATH|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			c.ReplyFiles = append(c.ReplyFiles, os.NewFile(uintptr(fd), what))
			return nil
		}()
	}()
	return <-result
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
