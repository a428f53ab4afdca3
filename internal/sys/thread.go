package sys

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// InMountNamespace runs fn on a thread of its own in the mount namespace of
// the process pid, with its root as the current directory, while that sees nothing but
// the host's files. The thread
// ends with fn.
func InMountNamespace(pid int, fn func() error) error {
	ns, err := OpenProc(fmt.Sprintf("%d/ns/mnt", pid), unix.O_RDONLY, true)
	if err != nil {
		return err
	}
	defer ns.Close()
	return OnOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS); err != nil {
			return os.NewSyscallError("setns", err)
		}
		return fn()
	})
}

// OnOwnThread runs fn on a thread that ends afterwards, whatever fn has done
// to it. It is never the first thread, which cannot end, and which
// /proc/self stands for.
func OnOwnThread(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: that ends the thread
		if unix.Gettid() != unix.Getpid() {
			result <- fn()
			return
		}
		result <- OnOwnThread(fn) // while this one is held
		runtime.UnlockOSThread()
	}()
	return <-result
}
