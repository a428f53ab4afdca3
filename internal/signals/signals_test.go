package signals

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSignalsArriveAndFaultsPanic(t *testing.T) {
	c, err := Collect()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []unix.Signal{unix.SIGUSR1, unix.SIGTERM, unix.SIGSEGV, 64} {
		if err := unix.Kill(unix.Getpid(), want); err != nil {
			t.Fatal(err)
		}
		got, err := c.Wait()
		if err != nil || !slices.Equal(got, []unix.Signal{want}) {
			t.Errorf("%v, %v; want %d", got, err, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a fault of our own is taken for a signal")
		}
	}()
	var nowhere *int
	*nowhere = 1 //nolint:govet // that is the point
}
