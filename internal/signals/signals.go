// Package signals collects the signals that are sent to this process.
//
// os/signal would do, but for its price: it lets one thread of the runtime
// take on each signal by itself and waits for it, 130 times for all signals, and on an
// idle machine each time a processor has to wake up. Here each costs one system call.
package signals

/*
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static int sink;
static struct sigaction before[NSIG];

// faults are signals that the Go runtime has to see when it is to blame.
static int fault(int sig)
{
	return sig == SIGILL || sig == SIGTRAP || sig == SIGBUS || sig == SIGFPE || sig == SIGSEGV || sig == SIGSYS;
}

// See signal-safety(7). A code above 0 is the kernel's own.
static void collect(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	unsigned char byte = (unsigned char)sig;

	if (fault(sig) && info->si_code > 0)
		before[sig].sa_sigaction(sig, info, context);
	else
		while (write(sink, &byte, 1) < 0 && errno == EINTR)
			;
	errno = saved;
}

// ignored says whether nohup(1), or a shell for its background jobs, wants sig ignored.
static int ignored(int sig)
{
	struct sigaction now;

	return (sig == SIGHUP || sig == SIGINT) && sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static int unwanted(int sig)
{
	return sig == SIGKILL || sig == SIGSTOP || // nobody can
	       sig == SIGTTIN || sig == SIGTTOU || // stop a background job that touches the terminal: us
	       sig == SIGURG || // the Go runtime's own
	       sig == SIGPIPE || // a reader of ours has gone
	       ignored(sig);
}

static void start(int fd)
{
	struct sigaction action = { .sa_sigaction = collect, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

	sink = fd;
	sigfillset(&action.sa_mask);
	for (int sig = 1; sig < NSIG; sig++)
		if (!unwanted(sig))
			sigaction(sig, &action, &before[sig]); // fails for those of the C library
}
*/
import "C"

import (
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// Collector is where signals arrive.
type Collector struct{ pipe int }

// Collect begins to collect all signals but those that are about this process
// itself. It goes on to the process's end, and is not to be called again.
func Collect() (*Collector, error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	if err := unix.SetNonblock(pipe[1], true); err != nil { // what nobody reads is lost
		return nil, os.NewSyscallError("fcntl", err)
	}
	signal.Ignore(unix.SIGPIPE)
	C.start(C.int(pipe[1]))
	return &Collector{pipe[0]}, nil
}

// Wait waits for signals and returns them in the order of their arrival.
func (c *Collector) Wait() ([]unix.Signal, error) {
	var buf [128]byte
	for {
		n, err := unix.Read(c.pipe, buf[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("read", err)
		}
		list := make([]unix.Signal, n)
		for i, b := range buf[:n] {
			list[i] = unix.Signal(b)
		}
		return list, nil
	}
}
