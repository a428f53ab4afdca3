package seccomp

import (
	"math/rand/v2"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var someNames = []string{
	"read", "write", "open", "close", "stat", "mmap", "ioctl", "pread64", "socket", "connect", "clone", "fork", "execve",
	"kill", "fcntl", "ptrace", "getuid", "chown32", "personality", "prctl", "arch_prctl", "mount", "setns", "bpf",
	"execveat", "statx", "rseq", "clone3", "openat2", "pidfd_getfd", "faccessat2", "epoll_pwait2", "cacheflush",
	"set_tls", "futex_time64", "socketcall", "ipc", "shmget", "semop", "io_setup", "preadv2", "no_such_call", "futex_waitv",
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// randomProfile makes a profile in which no syscall has two actions, as which
// one wins is libseccomp's business.
func randomProfile(r *rand.Rand) *specs.LinuxSeccomp {
	errno := func(a specs.LinuxSeccompAction) *uint {
		if a != specs.ActErrno && a != specs.ActTrace || r.IntN(3) == 0 {
			return nil
		}
		n := uint(r.IntN(200))
		return &n
	}
	action := func() specs.LinuxSeccompAction { return pick(r, actions).name }
	s := &specs.LinuxSeccomp{DefaultAction: action(), ListenerPath: "/run/agent"}
	for s.DefaultAction == specs.ActNotify {
		s.DefaultAction = action()
	}
	s.DefaultErrnoRet = errno(s.DefaultAction)
	for _, w := range ways {
		if r.IntN(2) == 0 {
			s.Architectures = append(s.Architectures, w.name)
		}
	}
	left := slices.Clone(someNames)
	r.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	left = left[:1+r.IntN(len(left))]
	for len(left) > 0 {
		n := 1 + r.IntN(min(len(left), 8))
		call := specs.LinuxSyscall{Names: left[:n], Action: action()}
		left = left[n:]
		for call.Action == specs.ActNotify && slices.Contains(call.Names, "write") {
			call.Action = action()
		}
		call.ErrnoRet = errno(call.Action)
		if r.IntN(2) == 0 {
			s.Syscalls = append(s.Syscalls, call)
			continue
		}
		for range 1 + r.IntN(4) {
			call.Args = randomArgs(r)
			s.Syscalls = append(s.Syscalls, call)
		}
	}
	return s
}

func randomArgs(r *rand.Rand) []specs.LinuxSeccompArg {
	values := []uint64{0, 1, 2, 40, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 40, 1<<63 - 1, 1<<64 - 1}
	var args []specs.LinuxSeccompArg
	for range 1 + r.IntN(3) {
		args = append(args, specs.LinuxSeccompArg{
			Index: uint(r.IntN(maxArgs)), Op: pick(r, operators).name, Value: pick(r, values), ValueTwo: pick(r, values),
		})
	}
	return args
}
