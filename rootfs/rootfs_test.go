package rootfs

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// defaultMounts are those of `spec`.
func defaultMounts() []specs.Mount {
	return []specs.Mount{
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
	}
}

func TestDefaultSpec(t *testing.T) {
	b := newBox(t)
	b.mount(defaultMounts()...)
	b.Spec.Root.Readonly = true
	b.Spec.Linux.MaskedPaths = []string{"/proc/kcore", "/proc/keys", "/sys/firmware", "/proc/scsi"}
	b.Spec.Linux.ReadonlyPaths = []string{"/proc/sys", "/proc/bus", "/nonexistent"}
	t.Log(b.run(t, `cat /proc/self/mountinfo; ls -la /dev /; touch /x /proc/sys/x; ls -l /proc/self/fd; stat -c %t:%T /proc/kcore; ls -la /sys/firmware`))
}
