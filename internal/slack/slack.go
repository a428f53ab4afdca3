// Package slack gives the threads of the Go runtime a timer slack, prctl(2)
// PR_SET_TIMERSLACK, that suits a command of a few milliseconds.
//
// The runtime's monitor thread sleeps for 20 µs at a time as long as anything
// runs, and with the default slack of 50 µs wakes a processor each 70 µs, for
// nothing: a fifth of the processor time of a short command. A thread has the
// slack of the one that made it, so it has to be set before the runtime starts.
package slack

/*
#include <sys/prctl.h>

static int given;

__attribute__((constructor)) static void relax(void)
{
	given = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	if (given > 0) // else it could not be given back
		prctl(PR_SET_TIMERSLACK, 1000000, 0, 0, 0); // ns
}

static int given_slack(void) { return given; }
*/
import "C"

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Fork calls fork, which makes a process, with the slack that was given to us:
// the process is to have it too, as its own and as its default.
func Fork(fork func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if given := C.given_slack(); given > 0 {
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(given), 0, 0, 0)
	}
	return fork()
}
