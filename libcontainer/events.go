package libcontainer

import (
	"errors"
	"time"

	"hull/cgroups"
	"hull/internal/sys"
)

// Events are what happens to a running container, as it happens.
type Events struct {
	OOM     <-chan uint64 // memory has run out, so many times
	Stopped <-chan error  // the container's process has ended; told once
}

// Watch tells of the container's events from now on, until the command ends.
func (c *Container) Watch() (*Events, error) {
	pidfd, err := c.rec.Init.open(c.rec.BootID)
	if err != nil {
		return nil, err
	}
	oom, stopped := make(chan uint64), make(chan error, 1)
	watch, err := c.cgroup().WatchOOM()
	if err != nil && !errors.Is(err, cgroups.ErrNone) {
		return nil, err
	}
	if err == nil {
		go tellOOM(watch, oom)
	}
	go func() {
		_, err := sys.WaitDead(pidfd, -1)
		stopped <- err
	}()
	return &Events{oom, stopped}, nil
}

// tellOOM ends when the cgroup does.
func tellOOM(watch *cgroups.OOMWatch, oom chan<- uint64) {
	defer watch.Close()
	for {
		n, err := watch.Wait(time.Hour)
		if n > 0 {
			oom <- n
		}
		if err != nil {
			return
		}
	}
}

// OOMKills is how many processes of the container have been killed for lack of memory.
func (c *Container) OOMKills() (uint64, error) { return c.cgroup().OOMKills() }
