package tests

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// edit changes a configuration before it is written.
type edit = func(*specs.Spec)

// someCaps are the capabilities of the default configuration.
var someCaps = []string{"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"}

// defaultSpec is a small, well isolated configuration, made without any code of hull's.
func defaultSpec(id string) *specs.Spec {
	return &specs.Spec{
		Version:  "1.0.2",
		Root:     &specs.Root{Path: "rootfs"},
		Hostname: "box",
		Process: &specs.Process{
			Args:            []string{"/bin/probe"},
			Env:             []string{"PATH=/bin", markerName + "=" + id},
			Cwd:             "/",
			NoNewPrivileges: true,
			Capabilities:    &specs.LinuxCapabilities{Bounding: someCaps, Effective: someCaps, Permitted: someCaps},
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
			{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
			{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		},
		Linux: &specs.Linux{
			CgroupsPath: cgroupsPath(id),
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace},
				{Type: specs.NetworkNamespace},
				{Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace},
				{Type: specs.MountNamespace},
			},
			Resources: &specs.LinuxResources{},
		},
	}
}

// args runs another program.
func args(list ...string) edit {
	return func(s *specs.Spec) { s.Process.Args = list }
}

// runProbe runs the probe with verbs.
func runProbe(verbs ...string) edit { return args(append([]string{"/bin/probe"}, verbs...)...) }

// shell runs a script.
func shell(script string) edit { return args("/bin/sh", "-c", script) }

// mount adds a mount.
func mount(destination, kind, source string, options ...string) edit {
	return func(s *specs.Spec) {
		s.Mounts = append(s.Mounts, specs.Mount{Destination: destination, Type: kind, Source: source, Options: options})
	}
}

// bind adds a bind mount of source at /mnt.
func bind(source string, options ...string) edit {
	return mount("/mnt", "bind", source, append([]string{"bind"}, options...)...)
}

// withoutNamespace shares the namespaces with the host.
func withoutNamespace(types ...specs.LinuxNamespaceType) edit {
	return func(s *specs.Spec) {
		s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return slices.Contains(types, n.Type) })
	}
}

// namespace makes a namespace new, or joins the one at path.
func namespace(kind specs.LinuxNamespaceType, path string) edit {
	return func(s *specs.Spec) {
		withoutNamespace(kind)(s)
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: kind, Path: path})
	}
}

// userNamespace maps the container's ids 0 to 65535 to the host's from first.
func userNamespace(first uint32) edit {
	return func(s *specs.Spec) {
		namespace(specs.UserNamespace, "")(s)
		s.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: first, Size: 65536}}
		s.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: first, Size: 65536}}
	}
}

// allCaps gives the process every capability that this test has.
func allCaps(s *specs.Spec) {
	list := capNames(ownStatus("CapEff"))
	s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: list, Effective: list, Permitted: list, Inheritable: list}
}

// privileged lets the process try everything that only the kernel could refuse.
func privileged(s *specs.Spec) {
	allCaps(s)
	s.Process.NoNewPrivileges = false
}

// all makes one edit of many.
func all(edits ...edit) edit {
	return func(s *specs.Spec) {
		for _, e := range edits {
			e(s)
		}
	}
}

//go:fix inline
func ptr[T any](v T) *T { return new(v) }

// signalled is the exit code of a process that died by sig.
func signalled(sig unix.Signal) int { return 128 + int(sig) }

// joined is how the probe names what it has tried.
func joined(verbs []string) string { return strings.Join(verbs, " ") }
