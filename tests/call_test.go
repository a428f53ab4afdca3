package tests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long anything may take before the test gives up. It is no
// measure of speed: nothing here comes near it unless it hangs.
const patience = 30 * time.Second

// result is how a command ended.
type result struct {
	args           []string
	code           int // the negative signal number when killed
	stdout, stderr string
}

func (r *result) String() string {
	return fmt.Sprintf("%s: exit code %d\nstdout: %.500s\nstderr: %.2000s", strings.Join(r.args, " "), r.code, r.stdout, r.stderr)
}

// command is a command of hull's on this box's state root.
func (b *box) command(ctx context.Context, args ...string) *exec.Cmd {
	line := append(append([]string{b.binary, "--root", b.root}, b.global...), args...)
	if b.wrapper != nil {
		line = append(slices.Clone(b.wrapper), line...)
	}
	b.lookBefore()
	line = append(b.launcher(), line...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir = b.dir
	cmd.Env = append(append(os.Environ(), markerName+"="+b.id), b.env...)
	return cmd
}

// hull runs a command to its end.
func (b *box) hull(args ...string) *result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return b.finish(ctx, b.command(ctx, args...))
}

// finish runs cmd with files as its output, which containers it leaves behind may keep open.
func (b *box) finish(ctx context.Context, cmd *exec.Cmd) *result {
	b.t.Helper()
	stdout, stderr := b.temp("out"), b.temp("err")
	defer stdout.Close()
	defer stderr.Close()
	if cmd.Stdout == nil {
		cmd.Stdout = stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = stderr
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		b.t.Fatalf("%s: did not end in %s\n%s", strings.Join(cmd.Args, " "), patience, b.read(stderr.Name()))
	}
	r := &result{cmd.Args, b.exitCode(err), b.read(stdout.Name()), b.read(stderr.Name())}
	b.excuse(r)
	return r
}

func (b *box) exitCode(err error) int {
	b.t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := exit.Sys().(interface{ Signal() unix.Signal }); ok && exit.ExitCode() < 0 {
			return -int(status.Signal())
		}
		return exit.ExitCode()
	}
	b.check(err)
	return 0
}

func (b *box) temp(name string) *os.File {
	b.t.Helper()
	f, err := os.CreateTemp(b.dir, name)
	b.check(err)
	return f
}

// must runs a command that has to succeed.
func (b *box) must(args ...string) *result {
	b.t.Helper()
	r := b.hull(args...)
	if r.code != 0 {
		b.t.Fatalf("%s", r)
	}
	return r
}

// refuse runs a command that has to fail with code, with all of the words in its
// message, and that leaves the container as it was.
func (b *box) refuse(code int, words []string, args ...string) *result {
	b.t.Helper()
	r := b.hull(args...)
	r.expect(b, code, words...)
	return r
}

// expect compares the exit code and looks for words in the error message.
func (r *result) expect(b *box, code int, words ...string) {
	b.t.Helper()
	if r.code != code {
		b.t.Errorf("exit code %d, want %d: %s", r.code, code, r)
	}
	for _, w := range words {
		if !strings.Contains(r.stderr, w) {
			b.t.Errorf("the message lacks %q: %s", w, r)
		}
	}
	if code != 0 && strings.Contains(r.stderr, "goroutine ") {
		b.t.Errorf("hull panicked: %s", r)
	}
}

// run runs the container to its end.
func (b *box) run(flags ...string) *result {
	b.t.Helper()
	return b.hull(append(append([]string{"run", "--bundle", b.bundle}, flags...), b.id)...)
}

// mustRun runs the container to its end, which has to be a good one, and returns what it wrote.
func (b *box) mustRun(flags ...string) string {
	b.t.Helper()
	r := b.run(flags...)
	if r.code != 0 {
		b.t.Fatalf("%s", r)
	}
	return r.stdout
}

// live starts a command without waiting for its end.
func (b *box) live(args ...string) *live {
	b.t.Helper()
	return b.startLive(b.command(context.Background(), args...))
}

// state is what the state command prints.
type state struct {
	OCIVersion  string            `json:"ociVersion"`
	ID          string            `json:"id"`
	Status      string            `json:"status"`
	Pid         int               `json:"pid"`
	Bundle      string            `json:"bundle"`
	Rootfs      string            `json:"rootfs"`
	Created     time.Time         `json:"created"`
	Owner       string            `json:"owner"`
	Annotations map[string]string `json:"annotations"`
}

// state asks for the container's state.
func (b *box) state() state {
	b.t.Helper()
	var s state
	b.check(json.Unmarshal([]byte(b.must("state", b.id).stdout), &s))
	return s
}

// wantStatus compares the container's status.
func (b *box) wantStatus(want string) {
	b.t.Helper()
	if got := b.state().Status; got != want {
		b.t.Errorf("the status is %s, want %s", got, want)
	}
}

// becomes waits until the container's status is want.
func (b *box) becomes(want string) {
	b.t.Helper()
	for end := time.Now().Add(patience); b.state().Status != want && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	b.wantStatus(want)
}

// ended waits until the process is gone.
func (b *box) ended(pid int) {
	b.t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	b.check(err)
	defer unix.Close(fd)
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, int(patience.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		b.check(err)
		if n == 0 {
			b.t.Fatalf("process %d did not end in %s", pid, patience)
		}
		return
	}
}
