package libcontainer

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/sys"
)

// A service manager waits at the socket NOTIFY_SOCKET until the service is ready,
// see sd_notify(3). The container cannot reach a path of the host, and is not to be
// believed everything, such as which process is the service's. So it has a socket of
// its own, and hull passes on one fact: that the program is ready. As with runc the
// socket's directory is the container's /run/notify, create prepares it, and start
// and a detached run wait for the fact, or for the program's end.
const (
	notifyDir   = "notify" // in the container's directory
	notifyFile  = "notify.sock"
	notifyPoint = "/run/notify" // in the container
)

// barrierPatience is how long the service manager may take to have read what we said.
const barrierPatience = 30 * time.Second

// notify is a service manager's socket, and the container's.
type notify struct {
	host string
	sock *os.File
}

// offerNotify tells the process of its socket.
func (c *Container) offerNotify(s *specs.Spec, p *specs.Process) {
	s.Mounts = append(s.Mounts, specs.Mount{
		Destination: notifyPoint, Type: "bind", Source: c.path(notifyDir),
		Options: []string{"bind", "nosuid", "noexec", "nodev", "ro"},
	})
	p.Env = append(p.Env, "NOTIFY_SOCKET="+filepath.Join(notifyPoint, notifyFile))
}

// makeNotify makes what offerNotify mounts; run is going to listen at once.
func (c *Container) makeNotify(o *CreateOptions) error {
	if o.NotifySocket == "" {
		return nil
	}
	if err := os.Mkdir(c.path(notifyDir), 0o755); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if !o.Run {
		return nil
	}
	return c.listenNotify(o.NotifySocket)
}

// listenNotify makes the container's socket, if it was created to have one.
func (c *Container) listenNotify(host string) error {
	if _, err := os.Stat(c.path(notifyDir)); host == "" || err != nil {
		return nil //nolint:nilerr // none was promised to the process
	}
	path := c.path(notifyDir, notifyFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a start that failed
		return fmt.Errorf("state: %w", err)
	}
	sock, err := sys.BindDatagram(path)
	if err != nil {
		return err
	}
	// Whoever the process is: the directory is the container's alone.
	if err := os.Chmod(path, 0o777); err != nil { //nolint:gosec // see above
		sock.Close()
		return fmt.Errorf("state: %w", err)
	}
	c.notify = &notify{host, sock}
	return nil
}

// PassReady waits until the container says that it is ready, and tells the
// service manager so, with mainPid as the service's process; 0 is the container's.
// It returns when that is done, when the container's process has ended, and at
// once when there is no service manager.
func (c *Container) PassReady(mainPid int) error {
	if c.notify == nil {
		return nil
	}
	defer c.notify.sock.Close()
	if mainPid == 0 {
		mainPid = c.Init.Pid
	}
	ready, err := c.notify.wait(c.Init.PidFD)
	if err != nil || !ready {
		return err
	}
	if err := c.notify.tell(mainPid); err != nil {
		slog.Warn("NOTIFY_SOCKET (" + c.notify.host + "): " + err.Error()) // the container runs, and that is what was asked
	}
	return nil
}

// wait reads what the container says until it is ready or its process has ended.
func (n *notify) wait(pidfd *os.File) (ready bool, err error) {
	message := make([]byte, 4096)
	for {
		fds := []unix.PollFd{{Fd: int32(n.sock.Fd()), Events: unix.POLLIN}, {Fd: int32(pidfd.Fd()), Events: unix.POLLIN}} //nolint:gosec // descriptors
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return false, os.NewSyscallError("poll", err)
		}
		if fds[0].Revents == 0 { // the last word of a process that has ended counts
			return false, nil
		}
		// Descriptors that come with it are closed by the kernel: we take none. unix(7)
		size, _, err := unix.Recvfrom(int(n.sock.Fd()), message, 0)
		if err != nil {
			return false, os.NewSyscallError("recvfrom", err)
		}
		for line := range strings.Lines(string(message[:size])) {
			if strings.TrimSpace(line) == "READY=1" {
				return true, nil
			}
		}
	}
}

// tell passes on that the service is ready. sd_notify_barrier(3): we stay until it was
// read, since the service manager asks the kernel who we are.
func (n *notify) tell(pid int) error {
	if err := sys.SendDatagram(n.host, fmt.Sprintf("MAINPID=%d\nREADY=1", pid)); err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	err = sys.SendDatagram(n.host, "BARRIER=1", w)
	w.Close()
	if err != nil {
		return err
	}
	for end := time.Now().Add(barrierPatience); time.Now().Before(end); {
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(r.Fd())}}, int(time.Until(end).Milliseconds())) //nolint:gosec // a descriptor
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	return os.NewSyscallError("poll", err)
}
