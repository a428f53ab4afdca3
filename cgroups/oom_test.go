package cgroups

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestTellsAndCountsOOMKills(t *testing.T) {
	c := created(t, realHost(t))
	if err := c.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(4 << 20)), Swap: new(int64(4 << 20))}}); err != nil {
		t.Fatal(err)
	}
	watch, err := c.WatchOOM()
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	if n, err := watch.Wait(0); n != 0 || err != nil {
		t.Errorf("before: %d, %v", n, err)
	}
	cmd := process(t, c, true, "x=0123456789abcdef; while :; do x=$x$x; done")
	if n, err := watch.Wait(time.Minute); n == 0 || err != nil {
		t.Errorf("told %d, %v", n, err)
	}
	_ = cmd.Wait()
	if n, err := c.OOMKills(); err != nil || n == 0 {
		t.Errorf("counted %d, %v", n, err)
	}
	if err := c.Delete(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := watch.Wait(time.Minute); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("after: %v", err)
			}
			return
		}
	}
}
