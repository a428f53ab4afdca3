package specconv

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Sysctl is the file below /proc/sys for a key, relative to there, as in net/ipv4/ip_forward. The key is
// written as sysctl.d(5) has it: the first separator decides. If that is a slash, the key is the path; if it
// is a dot, dots and slashes swap their roles, as in net.ipv4.conf.eth0/1.forwarding.
//
// This is the one normal form: what is allowed is decided on it too, so that no spelling
// of a key can be judged as one file and written to another.
func Sysctl(key string) (string, error) {
	file := key
	if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '.' {
		file = strings.Map(func(r rune) rune {
			switch r {
			case '.':
				return '/'
			case '/':
				return '.'
			}
			return r
		}, key)
	}
	for component := range strings.SplitSeq(file, "/") {
		switch {
		case component == "":
			return "", fmt.Errorf("sysctl %q has an empty component", key)
		case component == "." || component == "..":
			return "", fmt.Errorf("sysctl %q has %q as a component", key, component)
		case strings.ContainsFunc(component, func(r rune) bool { return r <= ' ' || r == 0x7f }):
			return "", fmt.Errorf("sysctl %q contains a space or control character", key)
		}
	}
	return file, nil
}

// sysctlNamespace is the namespace that keeps a sysctl from the host, "" if none does. The
// names are those of the kernel's ipc/ipc_sysctl.c, ipc/mq_sysctl.c, kernel/utsname_sysctl.c and
// kernel/ucount.c, and all of net/, where a network namespace only has its own.
func sysctlNamespace(file string) specs.LinuxNamespaceType {
	switch file {
	case "kernel/shmmax", "kernel/shmall", "kernel/shmmni", "kernel/shm_rmid_forced", "kernel/shm_next_id",
		"kernel/msgmax", "kernel/msgmni", "kernel/msgmnb", "kernel/auto_msgmni", "kernel/msg_next_id",
		"kernel/sem", "kernel/sem_next_id":
		return specs.IPCNamespace
	case "kernel/hostname", "kernel/domainname":
		return specs.UTSNamespace
	}
	top, _, _ := strings.Cut(file, "/")
	switch {
	case strings.HasPrefix(file, "fs/mqueue/"):
		return specs.IPCNamespace
	case top == "net" && file != top:
		return specs.NetworkNamespace
	case top == "user" && file != top:
		return specs.UserNamespace
	}
	return ""
}

// sysctl is config-linux.md, Sysctl: only what is the container's own may be set.
func (k checker) sysctl(l *specs.Linux, domainname string) {
	if len(l.Sysctl) == 0 {
		return
	}
	seen := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(l.Sysctl)) {
		all := k
		k := k.item("sysctl", key)
		file, err := Sysctl(key)
		if err != nil {
			k.bad("", nil, "%s", err.Error()).onKey()
			continue
		}
		value := l.Sysctl[key]
		if strings.ContainsAny(strings.TrimSuffix(value, "\n"), "\n") {
			k.bad("", value, "must not contain a line break")
		}
		if other, ok := seen[file]; ok {
			k.bad("", value, "is the same sysctl as %s", all.item("sysctl", other).prefix).onKey()
		}
		seen[file] = key
		if hint, err := sysctlAllowed(l, file, domainname); err != nil {
			k.bad("", value, "%s", err.Error()).onKey().hint(hint)
		}
	}
}

// sysctlAllowed is an error when file would not be the container's own, with a hint what to do.
func sysctlAllowed(l *specs.Linux, file, domainname string) (hint string, err error) {
	t := sysctlNamespace(file)
	switch _, ok := namespace(l, t); {
	case t == "":
		return "allowed are net.*, fs.mqueue.*, user.*, kernel.domainname, kernel.sem*, kernel.shm* and kernel.msg*",
			errors.New("is not a sysctl of a namespace: it would change the host")
	case file == "kernel/hostname":
		return "use the member hostname", errors.New("must not be set here")
	case file == "kernel/domainname" && domainname != "":
		return "leave out one of them", errors.New("is set by the member domainname too")
	case !ok:
		return addNamespace(t), fmt.Errorf("would change the host, for the container has no %s namespace", t)
	}
	return "", nil
}
