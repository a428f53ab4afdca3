package tests

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// manager is a service manager that listens at NOTIFY_SOCKET. sd_notify(3)
type manager struct {
	b    *box
	sock *net.UnixConn
}

func (b *box) serviceManager() *manager {
	b.t.Helper()
	path := b.path("manager")
	sock, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	b.check(err)
	b.t.Cleanup(func() { sock.Close() })
	b.env = append(b.env, "NOTIFY_SOCKET="+path)
	b.listening = append(b.listening, path)
	return &manager{b, sock}
}

// hear reads messages, and closes the descriptors that come with them, as a service manager does.
func (m *manager) hear(want ...string) {
	m.b.t.Helper()
	m.b.check(m.sock.SetReadDeadline(time.Now().Add(patience)))
	for _, want := range want {
		text, extra := make([]byte, 4096), make([]byte, 4096)
		n, extraN, _, _, err := m.sock.ReadMsgUnix(text, extra)
		m.b.check(err)
		controls, err := unix.ParseSocketControlMessage(extra[:extraN])
		m.b.check(err)
		for i := range controls {
			fds, err := unix.ParseUnixRights(&controls[i])
			m.b.check(err)
			for _, fd := range fds {
				unix.Close(fd)
			}
		}
		if got := string(text[:n]); got != want {
			m.b.t.Errorf("the service manager heard %q, want %q", got, want)
		}
	}
}

// silent checks that nothing more was said.
func (m *manager) silent() {
	m.b.t.Helper()
	m.b.check(m.sock.SetReadDeadline(time.Now()))
	text := make([]byte, 4096)
	if n, err := m.sock.Read(text); !errors.Is(err, os.ErrDeadlineExceeded) {
		m.b.t.Errorf("the service manager heard %q (%v), want nothing more", text[:n], err)
	}
}

func TestReadinessIsPassedOn(t *testing.T) {
	needCreate(t)
	needCall(t, "pidfd_open")
	needRoot(t, "it maps ids that are not this user's")
	service := runProbe("notify", "STATUS=soon", ",", "notify", "STATUS=now\nMAINPID=1\nREADY=1\n", ",", "pause")
	for name, edits := range map[string][]edit{
		"plain": {service}, "user namespace": {service, userNamespace(200000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("start", func(t *testing.T) {
				b := newBox(t, edits...)
				b.check(os.MkdirAll(b.rootfs+"/run/notify", 0o755)) // root of a user namespace may not
				m := b.serviceManager()
				b.create().want()
				m.silent()
				start := b.live("start", b.id)
				m.hear(fmt.Sprintf("MAINPID=%d\nREADY=1", b.state().Pid), "BARRIER=1")
				start.wait().expect(b, 0)
				m.silent()
			})
			t.Run("run --detach", func(t *testing.T) {
				b := newBox(t, edits...)
				b.check(os.MkdirAll(b.rootfs+"/run/notify", 0o755)) // root of a user namespace may not
				m := b.serviceManager()
				run := b.live("run", "--detach", "--bundle", b.bundle, b.id)
				run.want("notify STATUS=soon: ok", "notify STATUS=now", "MAINPID=1", "READY=1", ": ok")
				m.hear(fmt.Sprintf("MAINPID=%d\nREADY=1", b.state().Pid), "BARRIER=1")
				run.wait().expect(b, 0)
				m.silent()
			})
			t.Run("run", func(t *testing.T) {
				b := newBox(t, edits...)
				b.check(os.MkdirAll(b.rootfs+"/run/notify", 0o755)) // root of a user namespace may not
				m := b.serviceManager()
				run := b.live("run", "--bundle", b.bundle, b.id)
				m.hear(fmt.Sprintf("MAINPID=%d\nREADY=1", run.cmd.Process.Pid), "BARRIER=1")
				b.must("kill", b.id, "KILL")
				run.wait().expect(b, 128+9)
				m.silent()
			})
		})
	}
}

func TestStartWaitsUntilTheProgramIsReady(t *testing.T) {
	needCall(t, "pidfd_open")
	b := newBox(t, shell("read line; /bin/probe notify READY=1; read line"))
	m := b.serviceManager()
	l := b.create()
	start := b.live("start", b.id)
	for b.state().Status != "running" { // and no lock is held meanwhile
		time.Sleep(time.Millisecond)
	}
	m.silent()
	b.must("exec", b.id, "true")
	fmt.Fprintln(l.stdin)
	m.hear(fmt.Sprintf("MAINPID=%d\nREADY=1", b.state().Pid), "BARRIER=1")
	start.wait().expect(b, 0)
}

func TestAProgramThatEndsUnreadyEndsTheWait(t *testing.T) {
	for _, verb := range []string{"start", "run"} {
		b := newBox(t, shell("exit 3"))
		m := b.serviceManager()
		if verb == "start" {
			b.create()
			b.must("start", b.id)
		} else {
			b.must("run", "--detach", "--bundle", b.bundle, b.id)
		}
		m.silent()
	}
}

func TestAServiceManagerThatIsGoneIsAWarning(t *testing.T) {
	b := newBox(t, runProbe("notify", "READY=1", ",", "pause"))
	b.env = append(b.env, "NOTIFY_SOCKET="+b.path("nobody"))
	r := b.hull("run", "--detach", "--bundle", b.bundle, b.id)
	r.expect(b, 0)
	if !strings.Contains(r.stderr, "NOTIFY_SOCKET ("+b.path("nobody")+"): ") || !strings.Contains(r.stderr, "no such file or directory") {
		t.Errorf("%s", r)
	}
	b.wantStatus("running")
}

func TestNotifySocketIsThereOnlyForAServiceManager(t *testing.T) {
	b := newBox(t, runProbe("report", "/run/notify"))
	r := parseReport(t, b.mustRun())
	if v, ok := r.env("NOTIFY_SOCKET"); ok {
		t.Errorf("NOTIFY_SOCKET is %q", v)
	}
	b = newBox(t, runProbe("open", "/run/notify/x", "wc", ",", "open", "/run/notify", "d"))
	b.serviceManager()
	if out, want := b.mustRun(), "open /run/notify/x wc: EROFS\nopen /run/notify d: ok\n"; out != want {
		t.Errorf("got %q, want %q", out, want)
	}
}
