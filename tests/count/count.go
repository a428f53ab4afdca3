// Package count runs a command and counts, by ptrace(2), what it and its
// children ask of the kernel: speed in a form that no load on the machine changes.
package count

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Counts are the system calls, and what they made.
type Counts struct {
	Calls   map[int]int // by number, of all processes
	Parent  int         // calls of the command's own process, all threads; without those that Scheduling tells
	Others  int         // calls of its children, the container's program included
	Execs   int
	Forks   int // processes made
	Threads int // threads made; a Go program starts them as time goes
	Faults  int64
	Status  unix.WaitStatus
}

// Command is what to run: see [syscall.ForkExec].
type Command struct {
	Args  []string
	Dir   string
	Env   []string
	Files []*os.File
}

// Run runs the command to its end, on a thread of its own that setup, if not
// nil, has prepared. What the command leaves running goes on untraced.
func Run(c Command, setup func() error) (*Counts, error) {
	var counts *Counts
	var err error
	thread(func() {
		if setup != nil {
			err = setup()
		}
		if err == nil {
			counts, err = trace(c)
		}
	})
	return counts, err
}

// thread runs fn on a thread that ends with it, which releases what it still traces.
func thread(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			thread(fn) // Go never ends the first thread
			return
		}
		fn()
	}()
	<-done
}

// trace runs the command as a tracee of this thread.
func trace(c Command) (*Counts, error) {
	files := make([]uintptr, len(c.Files))
	for i, f := range c.Files {
		files[i] = f.Fd()
	}
	pid, err := syscall.ForkExec(c.Args[0], c.Args, &syscall.ProcAttr{
		Dir: c.Dir, Env: c.Env, Files: files, Sys: &syscall.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(c.Args, " "), err)
	}
	t := &tracer{main: pid, group: map[int]int{pid: pid}, fresh: map[int]bool{}, counts: &Counts{Calls: map[int]int{}, Execs: 1}}
	return t.counts, t.loop()
}

// tracer follows one command.
type tracer struct {
	main    int
	group   map[int]int  // thread -> its process
	fresh   map[int]bool // threads known from their parents only
	started bool
	counts  *Counts
}

// options let each new thread and process be traced from its first instruction.
const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
	unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC

// loop serves the tracees until the command's own process has ended.
func (t *tracer) loop() error {
	for {
		var status unix.WaitStatus
		var usage unix.Rusage
		// __WNOTHREAD: other threads of ours have children of their own.
		pid, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOTHREAD, &usage)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return os.NewSyscallError("wait4", err)
		case status.Exited() || status.Signaled():
			delete(t.group, pid)
			if pid == t.main {
				t.counts.Status, t.counts.Faults = status, usage.Minflt+usage.Majflt
				t.release()
				return nil
			}
		case status.Stopped():
			if err := t.stopped(pid, status); err != nil {
				return err
			}
		}
	}
}

// release keeps what goes on from being stopped by the SIGSTOP that tracees
// begin with, when we are no longer there to take it away.
func (t *tracer) release() {
	for _, process := range t.group {
		_ = unix.Kill(process, unix.SIGCONT)
	}
}

// stopped notes why the thread has stopped, and lets it go on to its next call.
func (t *tracer) stopped(pid int, status unix.WaitStatus) error {
	signal := status.StopSignal()
	switch {
	case !t.started && pid == t.main: // its execve
		t.started = true
		if err := unix.PtraceSetOptions(pid, options); err != nil {
			return os.NewSyscallError("ptrace", err)
		}
		signal = 0
	case signal == unix.SIGTRAP|0x80:
		t.call(pid)
		signal = 0
	case signal == unix.SIGTRAP:
		t.event(pid, status.TrapCause())
		signal = 0
	case signal == unix.SIGSTOP && (t.group[pid] == 0 || t.fresh[pid]): // the first stop of a new one
		signal = 0
		delete(t.fresh, pid)
	}
	if t.group[pid] == 0 { // its first stop came before its parent's
		t.group[pid] = processOf(pid)
	}
	err := unix.PtraceSyscall(pid, int(signal))
	if errors.Is(err, unix.ESRCH) { // killed meanwhile
		return nil
	}
	return os.NewSyscallError("ptrace", err)
}

func (t *tracer) event(pid, cause int) {
	switch cause {
	case unix.PTRACE_EVENT_EXEC:
		t.counts.Execs++
	case unix.PTRACE_EVENT_CLONE, unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK:
		msg, err := unix.PtraceGetEventMsg(pid)
		child := int(msg)
		if err != nil {
			return
		}
		if t.group[child] == 0 {
			t.group[child], t.fresh[child] = processOf(child), true
		}
		if t.group[child] == t.group[pid] {
			t.counts.Threads++
		} else {
			t.counts.Forks++
		}
	}
}

// call counts the system call that the thread is about to enter.
func (t *tracer) call(pid int) {
	// struct ptrace_syscall_info of linux/ptrace.h; x/sys has none
	var info struct {
		op   uint8
		_    [23]byte
		nr   uint64
		args [6]uint64
	}
	const getSyscallInfo, entry = 0x420e, 1
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, getSyscallInfo, uintptr(pid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 || info.op != entry {
		return
	}
	nr := int(info.nr)
	t.counts.Calls[nr]++
	switch {
	case scheduling[nr]:
	case t.group[pid] == t.main:
		t.counts.Parent++
	default:
		t.counts.Others++
	}
}

// scheduling are the calls of Go's scheduler and collector: how many there are
// depends on how fast the machine is, most of all under ptrace.
var scheduling = map[int]bool{
	unix.SYS_FUTEX: true, unix.SYS_NANOSLEEP: true, unix.SYS_SCHED_YIELD: true, unix.SYS_TGKILL: true,
	unix.SYS_GETPID: true, unix.SYS_RT_SIGRETURN: true, unix.SYS_EPOLL_PWAIT: true, unix.SYS_MADVISE: true,
	// what starting a thread costs
	unix.SYS_CLONE: true, unix.SYS_RT_SIGPROCMASK: true, unix.SYS_SIGALTSTACK: true, unix.SYS_GETTID: true,
	unix.SYS_MMAP: true, unix.SYS_MUNMAP: true, unix.SYS_MPROTECT: true,
}

// processOf is the process that a thread belongs to, 0 if it is gone.
func processOf(tid int) int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		var tgid int
		if n, _ := fmt.Sscanf(line, "Tgid: %d", &tgid); n == 1 {
			return tgid
		}
	}
	return 0
}
