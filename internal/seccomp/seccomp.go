// Package seccomp compiles linux.seccomp (config-linux.md#seccomp) into the
// classic BPF program that seccomp(2) takes.
//
// libseccomp knows the system calls of each architecture and what is to be
// done about them (libseccomp.go). Its program is evaluated (decide.go) and
// laid out anew (layout.go), with the rules that look at arguments
// (conditions.go) and ENOSYS for syscalls newer than the profile (enosys.go).
// A cache (cache.go, cachedir.go) spares most containers all of that.
package seccomp

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Filter is what seccomp(SECCOMP_SET_MODE_FILTER) needs.
type Filter struct {
	// Program is an array of struct sock_filter, in native byte order.
	Program []byte
	// Flags are the SECCOMP_FILTER_FLAG_* to install it with.
	Flags uint64
	// Notify says that a rule may return SECCOMP_RET_USER_NOTIF. Flags then has
	// SECCOMP_FILTER_FLAG_NEW_LISTENER and seccomp(2) returns a descriptor.
	Notify bool
	// Cached says that Program was found in the cache.
	Cached bool
}

// Compile compiles a profile. A profile without default action and syscalls
// means no filter, as in runc: the Filter is nil.
//
// For a syscall that several entries name, one without args wins over those with,
// and else the first that matches. When args names one index twice, each of its
// conditions is a rule of its own. A name that libseccomp does not know is
// skipped, for profiles are written for many architectures and versions. Calls through an architecture that is neither native nor
// listed (int 0x80 on x86-64, say) kill the thread whatever the default action
// is, so they are no way around a rule.
func Compile(s *specs.LinuxSeccomp) (*Filter, error) {
	return Load("", s)
}

// Load is Compile with a cache of programs in the directory dir, which it
// makes if need be; "" is no cache. A cache that cannot be used or trusted is
// the same as an empty one.
func Load(dir string, s *specs.LinuxSeccomp) (*Filter, error) {
	if absent(s) {
		return nil, nil
	}
	if err := check(s); err != nil {
		return nil, err
	}
	f := &Filter{Notify: notifies(s)}
	var err error
	if f.Flags, err = filterFlags(s, f.Notify); err != nil {
		return nil, err
	}
	if dir == "" {
		f.Program, err = build(s)
		return f, err
	}
	k := newKey(s)
	if f.Program = readCache(dir, k); f.Program != nil {
		f.Cached = true
		return f, nil
	}
	if f.Program, err = build(s); err != nil {
		return nil, err
	}
	writeCache(dir, k, f.Program)
	return f, nil
}

func absent(s *specs.LinuxSeccomp) bool {
	return s == nil || s.DefaultAction == "" && len(s.Syscalls) == 0
}

func notifies(s *specs.LinuxSeccomp) bool {
	for i := range s.Syscalls {
		if s.Syscalls[i].Action == specs.ActNotify {
			return true
		}
	}
	return false
}

// errnoOf is the errno of an ERRNO or TRACE action: EPERM by default, as the spec says.
func errnoOf(errno *uint) uint {
	if errno == nil {
		return uint(unix.EPERM)
	}
	return *errno
}

// returnOf is an action as the filter returns it: seccomp(2).
func returnOf(name specs.LinuxSeccompAction, errno *uint) uint32 {
	switch name {
	case specs.ActAllow:
		return unix.SECCOMP_RET_ALLOW
	case specs.ActErrno:
		return unix.SECCOMP_RET_ERRNO | uint32(errnoOf(errno))
	case specs.ActKillProcess:
		return unix.SECCOMP_RET_KILL_PROCESS
	case specs.ActLog:
		return unix.SECCOMP_RET_LOG
	case specs.ActNotify:
		return unix.SECCOMP_RET_USER_NOTIF
	case specs.ActTrace:
		return unix.SECCOMP_RET_TRACE | uint32(errnoOf(errno))
	case specs.ActTrap:
		return unix.SECCOMP_RET_TRAP
	}
	return unix.SECCOMP_RET_KILL_THREAD
}
