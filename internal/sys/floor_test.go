package sys

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNothingOfTheFloorIsDoneByAsking(t *testing.T) {
	for _, call := range floor {
		a := call.args
		_, _, errno := unix.Syscall6(call.nr, a[0], a[1], a[2], a[3], a[4], 0)
		want := unix.EINVAL
		if call.privileged && !sysAdmin() {
			want = unix.EPERM
		}
		if errno != want {
			t.Errorf("%s: %v, want %v", call.name, errno, want)
		}
	}
}

func TestErrorsOfWhatIsThereAreLeftAlone(t *testing.T) {
	for _, err := range []error{nil, errors.New("no system call"), unix.ENOSYS, fmt.Errorf("mount: %w", unix.EPERM)} {
		if got := Missing(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}
