package libcontainer

import (
	"time"

	"hull/internal/sys"
)

// Stopped waits for the container's process to end, no longer than limit, and
// says whether it has.
func (c *Container) Stopped(limit time.Duration) (bool, error) {
	pidfd, err := sys.PidfdOpen(c.rec.Init.Pid)
	if err != nil || !c.rec.Init.alive(c.rec.BootID) {
		return true, nil //nolint:nilerr // there is no such process
	}
	defer pidfd.Close()
	return sys.WaitDead(pidfd, int(limit.Milliseconds()))
}

// OOMKills is how many processes of the container have been killed for lack of memory.
func (c *Container) OOMKills() (uint64, error) { return c.cgroup().OOMKills() }
