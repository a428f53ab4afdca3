// Package nsenter starts the stage, the small C program in nsenter/stage that
// performs a plan inside the container, and serves what it asks.
//
//	parent (Go)                                stage (C)
//	Start: clone3, execve of a sealed memfd →  performs the plan
//	Serve: runs the operation's handler     ←  MSG_ASK op, descriptors
//	       errno, text, descriptors         →  goes on, or exits when errno is not 0
//	       learns the child's pid           ←  MSG_FORKED pid      (the child goes on after one byte)
//	       hands the listener over          ←  MSG_LISTENER fd     (goes on after one byte)
//	       error of the operation           ←  MSG_FAILED op errno (and exits)
//	       end                              ←  end of file: the user's program runs, or the stage was killed
//
// All over one SOCK_SEQPACKET pair: a packet is a message.
package nsenter

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hull/internal/fail"
	"hull/internal/plan"
	"hull/internal/slack"
	"hull/internal/sys"
	"hull/internal/trace"
)

// Options say how a stage is started.
type Options struct {
	CloneFlags uintptr     // CLONE_NEW* for the stage's own process
	Cgroup     *os.File    // directory of a v2 cgroup to be born in, or nil
	Stdio      [3]*os.File // standard streams
	Preserve   int         // descriptors 3 to 3+Preserve-1 of ours that the program keeps
}

// Stage is a running stage.
type Stage struct {
	Pid   int      // of the process that performs the plan
	PidFD *os.File // the same process, by descriptor

	// Listener is called with the seccomp notification descriptor.
	Listener func(fd *os.File) error

	plan    *plan.Plan
	failed  func(op uint32, errno int32) error
	sock    *os.File
	times   *trace.Times // nil when nobody asks
	retired int          // a stage that forked and ended, not yet reaped
}

// Start starts a stage that performs p. The calling goroutine must stay
// locked to its thread until the stage no longer needs the parent: the stage
// is killed when that thread ends (PR_SET_PDEATHSIG in prctl(2)).
func Start(p *plan.Plan, o Options) (*Stage, error) {
	runtime.LockOSThread()
	fail.Plan(p)
	if err := sys.CloexecFrom(uint(3 + o.Preserve)); err != nil {
		return nil, err
	}
	s := &Stage{plan: p}
	if err := s.takeTimes(); err != nil {
		return nil, err
	}
	code, err := p.Encode()
	if err != nil {
		return nil, err
	}
	planFile, err := sys.SealedMemfd("hull-plan", code, false)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	defer planFile.Close()
	stage, err := sys.SealedMemfd("hull", stageELF, true)
	if err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	defer stage.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "stage socket")
	defer theirs.Close()

	s.sock = os.NewFile(uintptr(pair[0]), "parent socket")
	if err := s.spawn(stage, theirs, planFile, o); err != nil {
		s.sock.Close()
		return nil, err
	}
	return s, nil
}

// spawn starts the stage's process with its descriptors in the order that
// stage.c expects, from 3+Preserve on.
func (s *Stage) spawn(stage, theirs, planFile *os.File, o Options) error {
	files := make([]uintptr, 0, 8+o.Preserve+len(s.plan.Files()))
	for _, f := range o.Stdio {
		files = append(files, f.Fd())
	}
	for i := range o.Preserve {
		files = append(files, uintptr(3+i))
	}
	first := len(files)
	files = append(files, theirs.Fd(), planFile.Fd())
	for _, in := range s.plan.Files() {
		f, err := in.Open()
		if err != nil {
			return err
		}
		defer f.Close()
		files = append(files, f.Fd())
	}
	// Last of the child's descriptors: its number there is what the path has
	// to say, for those of the parent are given away again in the child.
	path := fmt.Sprintf("/proc/self/fd/%d", len(files))
	files = append(files, stage.Fd())
	if s.times != nil {
		files = append(files, s.times.File.Fd())
	}
	pidfd := -1
	attr := &syscall.ProcAttr{
		Files: files,
		Env:   []string{},
		Sys: &syscall.SysProcAttr{
			Cloneflags: o.CloneFlags,
			Pdeathsig:  syscall.SIGKILL,
			PidFD:      &pidfd,
		},
	}
	if o.Cgroup != nil {
		attr.Sys.UseCgroupFD = true
		attr.Sys.CgroupFD = int(o.Cgroup.Fd())
	}
	err := slack.Fork(func() (err error) {
		s.Pid, err = syscall.ForkExec(path, []string{"hull", strconv.Itoa(first)}, attr)
		return err
	})
	if err != nil {
		return startError(err, o)
	}
	s.PidFD = os.NewFile(uintptr(pidfd), "pidfd")
	return nil
}

// startError says what a failed clone means.
func startError(err error, o Options) error {
	switch {
	case errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EUSERS):
		return fmt.Errorf("cannot make the namespaces: a limit in /proc/sys/user/max_*_namespaces is reached: %w", err)
	case errors.Is(err, unix.EPERM) && o.CloneFlags&unix.CLONE_NEWUSER == 0:
		return fmt.Errorf("cannot make the namespaces: needs root, or a user namespace in linux.namespaces: %w", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("cannot make a user namespace: this kernel or its security module allows none to this user: %w", err)
	case errors.Is(err, unix.EAGAIN):
		return fmt.Errorf("cannot start a process: a limit on processes is reached (pids cgroup or RLIMIT_NPROC): %w", err)
	}
	return fmt.Errorf("cannot start the container's process: %w", err)
}

// Kill kills the stage and reaps it. It is our child, so that until then its pid is nobody else's.
func (s *Stage) Kill() {
	_ = unix.Kill(s.Pid, unix.SIGKILL)
	s.Close()
	_, _ = s.Wait()
}

// Wait waits for the process to end and reaps it.
func (s *Stage) Wait() (unix.WaitStatus, error) {
	s.reap()
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(s.Pid, &status, 0, nil)
		if !errors.Is(err, unix.EINTR) {
			return status, os.NewSyscallError("wait4", err)
		}
	}
}

func (s *Stage) reap() {
	if s.retired != 0 {
		_, _ = unix.Wait4(s.retired, nil, 0, nil)
		s.retired = 0
	}
}

// Close ends the conversation. A stage that has not got to its end exits.
func (s *Stage) Close() {
	if s.sock != nil {
		s.sock.Close()
		s.sock = nil
	}
	s.tellTimes(time.Time{})
}

// takeTimes lets the stage note its times, if a trace is asked for.
func (s *Stage) takeTimes() (err error) {
	if !trace.On() {
		return nil
	}
	s.plan.Timed = true
	ops := make([]trace.Op, len(s.plan.Ops()))
	for i, o := range s.plan.Ops() {
		ops[i] = trace.Op{Step: o.Step, Name: o.Name, Field: o.Field, Target: o.Target}
	}
	s.times, err = trace.NewTimes(ops)
	return err
}

// tellTimes records what the stage has noted; end is when the program ran.
func (s *Stage) tellTimes(end time.Time) {
	if s.times != nil {
		s.times.Done(s.Pid, end)
		s.times = nil
	}
}
