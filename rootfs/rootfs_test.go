package rootfs

import (
	"slices"
	"strings"
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
	for name, fallback := range fallbacks {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.NoMountSetattr = fallback
			b.mount(defaultMounts()...)
			b.Spec.Root.Readonly = true
			b.Spec.Linux.MaskedPaths = []string{"/proc/keys", "/sys/firmware", "/proc/scsi", "/sys/firmware/", "/nonexistent"}
			b.Spec.Linux.ReadonlyPaths = []string{"/proc/sys", "/proc/bus", "/nonexistent"}
			out := b.run(t, `touch /x; stat -c %t:%T /proc/keys; ls /sys/firmware; `+showMounts)
			if want := "touch: /x: Read-only file system\n1:3\n"; !strings.HasPrefix(out, want) {
				t.Errorf("output %s", out)
			}
			var got []string
			for line := range strings.Lines(out) {
				if f := strings.Fields(line); len(f) > 9 && f[5] != "" {
					if f[4] == "/" || f[4] == "/proc/keys" {
						f[5] = f[5][:2] // the rest is the host's
					}
					got = append(got, f[4]+" "+f[5])
				}
			}
			want := []string{
				"/ ro",
				"/proc rw,relatime",
				"/dev rw,nosuid",
				"/dev/pts rw,nosuid,noexec,relatime",
				"/dev/shm rw,nosuid,nodev,noexec,relatime",
				"/dev/mqueue rw,nosuid,nodev,noexec,relatime",
				"/sys ro,nosuid,nodev,noexec,relatime",
				"/proc/sys ro,relatime",
				"/proc/bus ro,relatime",
				"/proc/keys rw",
				"/sys/firmware ro,nosuid,nodev,noexec,relatime",
			}
			if !slices.Equal(got, want) {
				t.Errorf("mounts %q\nwant %q", got, want)
			}
		})
	}
}
