package libcontainer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/fail"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/internal/trace"
	"hull/nsenter"
)

// hooksOf are the hooks of one kind, by its name in the configuration.
func hooksOf(s *specs.Spec, kind string) []specs.Hook {
	if s.Hooks == nil {
		return nil
	}
	switch kind {
	case "prestart":
		return s.Hooks.Prestart
	case "createRuntime":
		return s.Hooks.CreateRuntime
	case "createContainer":
		return s.Hooks.CreateContainer
	case "startContainer":
		return s.Hooks.StartContainer
	case "poststart":
		return s.Hooks.Poststart
	case "poststop":
		return s.Hooks.Poststop
	}
	return nil
}

// stepCreateHooks lets the parent run the hooks that belong before pivot_root.
// See config.md, POSIX-platform Hooks.
func stepCreateHooks(b *build) error {
	if b.spec.Hooks == nil {
		return nil
	}
	b.At("hooks", "")
	kinds := []string{"prestart", "createRuntime", "createContainer"}
	for _, kind := range kinds {
		if len(hooksOf(b.spec, kind)) == 0 {
			continue
		}
		b.letOwnerJoin(true)
		b.Ask("run the "+kind+" hooks", nil, func(call *plan.Call) error {
			b.c.rec.Init.Pid = call.Pid
			defer func() { b.c.rec.Init.Pid = 0 }()
			return b.c.runHooks(kind, b.spec, specs.StateCreating)
		})
		b.letOwnerJoin(false)
	}
	return nil
}

// runHooks runs the hooks of a kind in order; the first that fails ends it.
func (c *Container) runHooks(kind string, s *specs.Spec, status specs.ContainerState) error {
	for i, h := range hooksOf(s, kind) {
		c.hooked = true
		ended := trace.Phase(field("hooks."+kind, i))
		err := c.runHook(kind, s, &h, status)
		ended()
		if err != nil {
			return fmt.Errorf("hooks.%s[%d] (%s): %w", kind, i, h.Path, err)
		}
	}
	return nil
}

// hookState is what a hook reads on its standard input. runtime.md, State: a hook inside the
// container sees the process's pid as the container does.
func (c *Container) hookState(status specs.ContainerState, inside bool) (_ []byte, err error) {
	pid := c.rec.Init.Pid
	if status == specs.StateStopped {
		pid = 0 // may be another process's by now
	} else if inside {
		if pid, err = sys.InnerPid(pid); err != nil {
			return nil, err
		}
	}
	return json.Marshal(specs.State{
		Version: specs.Version, ID: c.ID, Status: status, Pid: pid,
		Bundle: c.rec.Bundle, Annotations: c.rec.Notes,
	})
}

// runsInside says whether hooks of the kind run in the container's namespaces.
func runsInside(kind string) bool { return kind == "createContainer" || kind == "startContainer" }

// runHook runs one hook: in the host's namespaces, or for createContainer and
// startContainer in the container's. Its environment is what the
// configuration gives it and nothing of ours or of the image (CVE-2025-23266).
func (c *Container) runHook(kind string, s *specs.Spec, h *specs.Hook, status specs.ContainerState) error {
	state, err := c.hookState(status, runsInside(kind))
	if err != nil {
		return err
	}
	stdin, err := sys.SealedMemfd("hook-state", state, false)
	if err != nil {
		return err
	}
	defer stdin.Close()
	if _, err := stdin.Seek(0, 0); err != nil {
		return err
	}
	out, err := hookOutput()
	if err != nil {
		return err
	}
	defer out.Close()

	p := c.hookPlan(kind, s, h)
	stage, err := nsenter.Start(p, nsenter.Options{Stdio: [3]*os.File{stdin, out, out}})
	if err != nil {
		return err
	}
	defer stage.Close()
	if err := stage.Serve(nil); errors.Is(err, nsenter.ErrDied) {
		return diedHook(waitHook(stage, h.Timeout, out))
	} else if err != nil {
		stage.Kill()
		return bareFailure(err)
	}
	return waitHook(stage, h.Timeout, out)
}

// hookPlan joins the container's namespaces where the hook belongs there, and execs it.
func (c *Container) hookPlan(kind string, s *specs.Spec, h *specs.Hook) *plan.Plan {
	p := plan.New()
	env, cwd := h.Env, c.rec.Bundle
	if fail.Off("hook.env") {
		env = append(os.Environ(), s.Process.Env...)
	}
	uid, gid := uint32(os.Geteuid()), uint32(os.Getegid()) //nolint:gosec // ids
	if runsInside(kind) {
		n := lowerNamespaces(s)
		c.join(p, p.Inherit(dupProc), &n, false)
		if n.has(unix.CLONE_NEWUSER) {
			uid, gid = 0, 0
		}
		cwd = "/"
		if kind == "startContainer" && env == nil && s.Process != nil {
			env = s.Process.Env // runs inside, on the container's terms: as the other runtimes do
		}
	}
	args := h.Args
	if len(args) == 0 {
		args = []string{h.Path}
	}
	p.Syscall("setsid", unix.SYS_SETSID)
	p.Syscall("change directory", unix.SYS_CHDIR, plan.Str(cwd))
	p.LookPath(h.Path, "", uid, gid).Because(unix.ENOENT, "cannot run it")
	p.Exec(args, env)
	return p
}

// waitHook waits for a hook until its timeout (seconds), then kills it.
func waitHook(stage *nsenter.Stage, timeout *int, out *os.File) error {
	limit := -1
	if timeout != nil {
		limit = *timeout * int(time.Second/time.Millisecond)
	}
	ended, err := sys.WaitDead(stage.PidFD, limit)
	if err != nil {
		return err
	}
	if !ended {
		killGroup(stage.Pid)
		stage.Close()
		return fmt.Errorf("killed: it ran longer than its timeout of %d s%s", *timeout, tail(out))
	}
	status, err := stage.Wait()
	if err != nil {
		return err
	}
	switch {
	case status.Signaled():
		return fmt.Errorf("killed by %s%s", unix.SignalName(status.Signal()), tail(out))
	case status.ExitStatus() != 0:
		return fmt.Errorf("exit status %d%s", status.ExitStatus(), tail(out))
	}
	return nil
}

// killGroup kills the process group of the hook pid, which has not been
// reaped, so that the number is still its, and waits for all of the group:
// those whose parents die become our children. prctl(2) PR_SET_CHILD_SUBREAPER.
func killGroup(pid int) {
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	_ = unix.Kill(-pid, unix.SIGKILL)
	for {
		_, err := unix.Wait4(-pid, nil, 0, nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// maxHookOutput is how much of a hook's output an error repeats.
const maxHookOutput = 1024

// hookOutput collects what a hook prints, for the error if it fails.
func hookOutput() (*os.File, error) {
	fd, err := unix.MemfdCreate("hook-output", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), "hook output"), nil
}

// tail is the end of what a hook printed.
func tail(out *os.File) string {
	size, err := out.Seek(0, 2)
	if err != nil || size == 0 {
		return ""
	}
	b := make([]byte, min(size, maxHookOutput))
	n, _ := out.ReadAt(b, size-int64(len(b)))
	text := string(bytes.TrimSpace(b[:n]))
	if text == "" {
		return ""
	}
	return ": " + strings.ReplaceAll(text, "\n", "; ")
}

// diedHook is nsenter.ErrDied of a hook, which must not be taken for that of the container's process.
func diedHook(why error) error {
	err := errors.New("its process died while it was being set up")
	if why == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, why)
}

// bareFailure is a failed operation without its field: the hook's own path says where.
func bareFailure(err error) error {
	if f, ok := errors.AsType[*plan.Failure](err); ok {
		return fmt.Errorf("%s: %w", f.Fact, f.Errno)
	}
	return err
}
