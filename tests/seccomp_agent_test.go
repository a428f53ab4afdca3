package tests

import (
	"encoding/json"
	"testing"
	"unsafe"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// notification and answer are struct seccomp_notif and struct seccomp_notif_resp: seccomp_unotify(2).
type notification struct {
	id         uint64
	pid, flags uint32
	nr         int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

type answer struct {
	id    uint64
	val   int64
	err   int32
	flags uint32
}

const (
	notifyRecv = 0xc0502100
	notifySend = 0xc0182101
)

func (b *box) ioctl(fd uintptr, request uintptr, arg unsafe.Pointer) {
	b.t.Helper()
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg))
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			b.t.Fatal(errno)
		}
		return
	}
}

// refuseNext takes one notification from the listener and lets the call fail with errno.
func (b *box) refuseNext(listener uintptr, errno unix.Errno) notification {
	b.t.Helper()
	fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds, int(patience.Milliseconds())); n != 1 {
		b.t.Fatalf("no notification came: %v", err)
	}
	var n notification
	b.ioctl(listener, notifyRecv, unsafe.Pointer(&n))
	b.ioctl(listener, notifySend, unsafe.Pointer(&answer{id: n.id, err: -int32(errno)}))
	return n
}

func TestSeccompAgentDecides(t *testing.T) {
	needCreate(t)
	needListener(t)
	for _, nnp := range []bool{true, false} {
		b := newBox(t, seccomp(rule(specs.ActNotify, makesDirectories...)), process(func(p *specs.Process) { p.NoNewPrivileges = nnp }),
			runProbe("mkdir", "/made", ",", "say", "after"))
		listener := b.listen("agent")
		b.edit(profile(func(p *specs.LinuxSeccomp) { p.ListenerPath, p.ListenerMetadata = b.path("agent"), "some metadata" }))
		l := b.live("run", "--bundle", b.bundle, b.id)
		got := b.receive(listener)
		var s specs.ContainerProcessState
		b.check(json.Unmarshal([]byte(got.text), &s))
		if s.Version == "" || len(s.Fds) != 1 || s.Fds[0] != specs.SeccompFdName || s.Metadata != "some metadata" || s.State.ID != b.id || s.Pid <= 0 || s.State.Bundle != b.bundle {
			t.Errorf("the agent was told %s", got.text)
		}
		if len(got.files) != 1 {
			t.Fatalf("the agent got %d descriptors", len(got.files))
		}
		n := b.refuseNext(got.files[0].Fd(), unix.ENOMEDIUM)
		if int(n.pid) != s.Pid {
			t.Errorf("the call is of process %d, want %d", n.pid, s.Pid)
		}
		l.want("mkdir /made: ENOMEDIUM", "after")
		if r := l.wait(); r.code != 0 {
			t.Error(r)
		}
		b.wantNothingLeft()
	}
}

func TestSeccompAgentGetsExecsListenerToo(t *testing.T) {
	needCreate(t)
	needCall(t, "pidfd_open")
	needRoot(t, "an agent gets the listener of what a user executes from root alone")
	needListener(t)
	b := newBox(t, seccomp(rule(specs.ActNotify, makesDirectories...)), runProbe("pause"))
	listener := b.listen("agent")
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.ListenerPath = b.path("agent") }))
	c := b.live("run", "--bundle", b.bundle, b.id)
	b.receive(listener)
	l := b.live("exec", b.id, "/bin/probe", "mkdir", "/made")
	got := b.receive(listener)
	b.refuseNext(got.files[0].Fd(), unix.ENOMEDIUM)
	l.want("mkdir /made: ENOMEDIUM")
	if r := l.wait(); r.code != 0 {
		t.Error(r)
	}
	b.must("kill", b.id, "KILL")
	c.wait()
}
