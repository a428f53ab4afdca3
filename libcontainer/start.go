package libcontainer

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/internal/sys"
	"hull/internal/trace"
	"hull/nsenter"
)

// Start lets the created container's program run. See runtime.md, start. If it was
// created to say when it is ready, PassReady tells that to notifySocket.
func (c *Container) Start(notifySocket string) error {
	if err := c.lock(); err != nil {
		return err
	}
	defer c.unlock()
	if err := c.mayStart(); err != nil {
		return err
	}
	s := &specs.Spec{} // all that a plain start needs
	if !c.rec.PlainStart {
		var err error
		if s, err = c.spec(); err != nil {
			return err
		} else if s.Process == nil {
			return errNoProcess
		}
	}
	return through([]move{
		{"start.notify", func() error { return c.listenNotify(notifySocket) }, nil},
		{"start.hooks", func() error { return c.startHooks("startContainer", s, specs.StateCreated) }, c.stop},
		{"start.release", func() error { return c.release(s) }, nil},
		{"start.socket", c.removeSocket, nil},
		{"start.poststart", func() error { return c.startHooks("poststart", s, specs.StateRunning) }, nil},
	})
}

// plainStart says whether start needs nothing of the configuration.
func plainStart(s *specs.Spec) bool {
	return len(hooksOf(s, "startContainer")) == 0 && len(hooksOf(s, "poststart")) == 0 && !listens(s)
}

// listens says whether a seccomp agent is to be told of the container: config-linux.md, listenerPath.
func listens(s *specs.Spec) bool {
	return s.Linux != nil && s.Linux.Seccomp != nil && s.Linux.Seccomp.ListenerPath != ""
}

// startHooks runs hooks of start. When one fails, the lifecycle goes on with the
// container's destruction, as runtime.md says (steps 7 and 9).
func (c *Container) startHooks(kind string, s *specs.Spec, status specs.ContainerState) error {
	err := c.runHooks(kind, s, status)
	if err == nil {
		return nil
	}
	if derr := c.destroy(); derr != nil {
		c.warn(derr)
	}
	return err
}

func (c *Container) removeSocket() error {
	if err := os.Remove(c.path(socketFile)); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

func (c *Container) mayStart() error {
	status, err := c.Status()
	switch {
	case err != nil:
		return err
	case status == specs.StateCreated:
		return nil
	case status == specs.StateStopped:
		return fmt.Errorf("cannot start a container that has stopped")
	case status == specs.StateRunning:
		return fmt.Errorf("cannot start an already running container")
	}
	return fmt.Errorf("cannot start a container in the %s state", status)
}

// release connects to the waiting stage, says go, and hears what becomes of it:
// end of file when the program runs, a message when it cannot.
func (c *Container) release(s *specs.Spec) error {
	conn, err := sys.DialUnix(c.path(socketFile))
	if err != nil {
		return fmt.Errorf("cannot reach the container's process: %w", err)
	}
	defer conn.Close()
	var pidfd *os.File
	if c.notify != nil || listens(s) {
		// Before it is let go: later the pid may be another's.
		if pidfd, err = c.rec.Init.open(c.rec.BootID); err != nil {
			return err
		}
		c.Init = &Process{Pid: c.rec.Init.Pid, PidFD: pidfd} // open as long as we are: PassReady needs it
	}
	times, err := c.sayGo(conn)
	if err != nil {
		return fmt.Errorf("cannot reach the container's process: %w", sys.Bare(err))
	}
	stage := nsenter.Attach(c.rec.Init.Pid, conn, pidfd, times, func(op uint32, errno int32) error { return c.released(op, errno) })
	if pidfd != nil {
		stage.Listener = func(fd *os.File) error { return c.sendListener(s, c.rec.Init.Pid, fd) }
	}
	defer stage.Close()
	return stage.Serve(nil)
}

// sayGo sends one byte, and for a trace the memory in which the stage notes its times.
func (c *Container) sayGo(conn *os.File) (*trace.Times, error) {
	var list []released
	if trace.On() {
		list, _ = c.releases()
	}
	if len(list) == 0 {
		_, err := conn.Write([]byte{1})
		return nil, err
	}
	ops := make([]trace.Op, list[len(list)-1].Op+1)
	for _, r := range list {
		ops[r.Op] = trace.Op{Step: "start", Name: r.Fact, Field: r.Field, Target: r.Target}
	}
	times, err := trace.NewTimes(ops)
	if err != nil {
		return nil, err
	}
	return times, sys.SendFile(conn, "\x01", times.File)
}

// released explains the failure of an operation that create has recorded.
func (c *Container) released(op uint32, errno int32) error {
	list, _ := c.releases()
	for _, r := range list {
		if r.Op == op {
			o := plan.Op{Site: plan.Site{Field: r.Field, Target: r.Target}, Name: r.Fact, Facts: r.Facts}
			return o.Fail(errno)
		}
	}
	return fmt.Errorf("operation %d: %w", op, unix.Errno(errno)) //nolint:gosec // positive
}

// stop ends what runs in the container: a start that failed demands it, and
// whoever asks next is to find it stopped.
func (c *Container) stop() {
	err := c.killInit()
	if err == nil {
		err = c.killAll() // it may have ended, and others not
	}
	if err != nil {
		slog.Warn("the container's process may live on: " + sys.Missing(err).Error())
	}
}
