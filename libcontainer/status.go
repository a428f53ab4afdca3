package libcontainer

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/sys/user"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/sys"
	"hull/internal/trace"
)

// StatusPaused is the status of a container whose processes are frozen; the
// specification lets runtimes add statuses to its four.
const StatusPaused specs.ContainerState = "paused"

// State is what `state` prints: the specification's state, and what callers
// of runc know beside it.
type State struct {
	OCIVersion  string               `json:"ociVersion"`
	ID          string               `json:"id"`
	Pid         int                  `json:"pid"`
	Status      specs.ContainerState `json:"status"`
	Bundle      string               `json:"bundle"`
	Rootfs      string               `json:"rootfs"`
	Created     time.Time            `json:"created"`
	Annotations map[string]string    `json:"annotations,omitempty"`
	Owner       string               `json:"owner"`
}

// Status is derived from what is there, never stored: who lives, whether the
// cgroup is frozen, whether the stage still waits for start.
func (c *Container) Status() (specs.ContainerState, error) {
	defer trace.Phase("status")()
	if c.rec.Init.Pid == 0 {
		making, err := c.rec.Creator.alive(c.rec.BootID)
		if making {
			return specs.StateCreating, nil
		}
		return specs.StateStopped, err // its creator was killed half-way
	}
	if alive, err := c.alive(); !alive {
		return specs.StateStopped, err
	}
	if frozen, err := c.cgroup().Frozen(); err == nil && frozen {
		return StatusPaused, nil
	}
	if c.waits() {
		return specs.StateCreated, nil
	}
	return specs.StateRunning, nil
}

// State is the container's state as printed.
func (c *Container) State() (State, error) {
	if c.torn != nil {
		return State{}, fmt.Errorf("container %s: its state is damaged: %w; `delete --force` removes it", c.ID, c.torn)
	}
	status, err := c.Status()
	if err != nil {
		return State{}, err
	}
	s := State{
		OCIVersion:  specs.Version,
		ID:          c.ID,
		Status:      status,
		Bundle:      c.rec.Bundle,
		Rootfs:      c.rec.Rootfs,
		Created:     c.rec.Created,
		Annotations: c.rec.Notes,
		Owner:       owner(c.rec.UID),
	}
	if status != specs.StateStopped {
		s.Pid = c.rec.Init.Pid
	}
	return s, nil
}

// waits says whether the stage waits for start: somebody listens on its socket.
func (c *Container) waits() bool {
	conn, err := sys.DialUnix(c.path(socketFile))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// alive says whether p is still the process it was, and has not ended. What cannot be
// looked at is not taken for dead: delete would remove the record of what runs.
func (p process) alive(boot string) (bool, error) {
	if p.Pid == 0 {
		return false, nil
	}
	if now, err := bootID(); err != nil || boot != now {
		return false, err
	}
	st, err := sys.Stat(p.Pid)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("process %d: %w", p.Pid, err)
	}
	return st.StartTime == p.StartTime && st.State != 'Z' && st.State != 'X' && !p.husk(st), nil
}

// husk says that nothing but its number is left of p, and that it sleeps until the zombies in its
// pid namespace are reaped: pid_namespaces(7). Where a parent outside is their host's init, and that
// reaps nobody, this is for ever. Namespaces are what a process gives up after memory and files.
func (p process) husk(st sys.ProcStat) bool {
	if !st.Exiting || st.State != 'S' && st.State != 'I' { // as kernels differ: TASK_INTERRUPTIBLE, TASK_IDLE
		return false
	}
	_, err := sys.ReadlinkProc(strconv.Itoa(p.Pid) + "/ns/mnt")
	return errors.Is(err, unix.ENOENT)
}

// alive says whether the container's process lives.
func (c *Container) alive() (bool, error) { return c.rec.Init.alive(c.rec.BootID) }

// current is the process pid as it is now.
func current(pid int) (process, error) {
	st, err := sys.Stat(pid)
	if err != nil {
		return process{}, fmt.Errorf("process %d: %w", pid, err)
	}
	return process{pid, st.StartTime}, nil
}

// bootID tells this boot of the machine from others: pids of another are void.
var bootID = sync.OnceValues(func() (string, error) {
	b, err := sys.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
})

// owner is the name of uid, or its number.
func owner(uid int) string {
	if uid == 0 {
		return "root" // without reading a file
	}
	if u, err := user.LookupUid(uid); err == nil {
		return u.Name
	}
	return "#" + strconv.Itoa(uid)
}

// warn reports an error that does not end the verb.
func (c *Container) warn(err error) {
	slog.Warn(fmt.Sprintf("container %s: %s", c.ID, sys.Missing(err)))
}
