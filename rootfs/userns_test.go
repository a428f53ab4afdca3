package rootfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

const mapped = 100000 // the container's root on the host

// userns gives the container a user namespace in which root is an ordinary user of the host.
// Without network, it has the host's network namespace.
func (b *box) userns(t *testing.T, network bool) *box {
	t.Helper()
	b.Userns = true
	others := uint64(b.flags | unix.CLONE_NEWIPC)
	if network {
		others |= unix.CLONE_NEWNET
	}
	b.flags = 0
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: mapped, Size: 65536}}
	l := b.Spec.Linux
	l.UIDMappings, l.GIDMappings = ids, ids
	l.Namespaces = append(l.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	if network {
		l.Namespaces = append(l.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace})
	}
	b.before = func(p *plan.Plan) {
		p.Unshare(unix.CLONE_NEWUSER, "a user namespace")
		p.Ask("map the ids", nil, func(c *plan.Call) error {
			for _, file := range []string{"uid_map", "gid_map"} {
				line := fmt.Sprintf("0 %d 65536\n", mapped)
				if err := os.WriteFile(fmt.Sprintf("/proc/%d/%s", c.Pid, file), []byte(line), 0); err != nil {
					return err
				}
			}
			return nil
		})
		p.Syscall("setgroups", unix.SYS_SETGROUPS, plan.N(0), plan.N(0))
		p.Syscall("setresgid", unix.SYS_SETRESGID, plan.N(0), plan.N(0), plan.N(0))
		p.Syscall("setresuid", unix.SYS_SETRESUID, plan.N(0), plan.N(0), plan.N(0))
		p.Unshare(others, "the other namespaces")
		p.Fork(0, plan.None)
	}
	err := filepath.Walk(b.Root, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, mapped, mapped)
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUserNamespace(t *testing.T) {
	for name, fallback := range fallbacks {
		t.Run(name, func(t *testing.T) {
			b := newBox(t).userns(t, true)
			b.NoMountSetattr = fallback
			b.mount(defaultMounts()...)
			// The bundle is below a directory that only the host's root can enter.
			src := b.source(t, "src")
			tmpfs(t, src, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOATIME)
			b.mount(specs.Mount{Destination: "/mnt", Source: src, Options: []string{"rbind", "ro"}})
			b.Spec.Root.Readonly = true
			b.Spec.Linux.MaskedPaths = []string{"/proc/keys", "/proc/irq", "/proc/bus", "/sys/firmware"}
			b.Spec.Linux.ReadonlyPaths = []string{"/proc/sys"}
			b.Spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/mem2", Type: "p"}, {Path: "/dev/kmsg", Type: "c", Major: 1, Minor: 11}}
			out := b.run(t, `id -u; echo hello > /dev/null && head -c 3 /dev/zero | wc -c; stat -c '%F %u' /dev/mem2; touch /x; cat /mnt/file; `+showMounts)
			if want := "0\n3\nfifo 0\ntouch: /x: Read-only file system\non tmpfs\n"; !strings.HasPrefix(out, want) {
				t.Fatalf("output %s\nwant %s first", out, want)
			}
			for dir, want := range map[string]string{
				"/":          "ro,",
				"/mnt":       "ro,nosuid,nodev,noatime",
				"/dev/null":  "rw,",
				"/dev/kmsg":  "rw,",
				"/proc/sys":  "ro,",
				"/proc/keys": "rw,",
				"/proc/irq":  "ro,",
				"/sys":       "ro,",
			} {
				if got := at(t, out, dir).options; !strings.HasPrefix(got, want) {
					t.Errorf("%s: options %s, want %s", dir, got, want)
				}
			}
		})
	}
}

func TestRootlessStageOpensSourcesItself(t *testing.T) {
	b := newBox(t).userns(t, true)
	b.Rootless = true
	b.mount(defaultMounts()...)
	src := b.source(t, "src")
	b.mount(specs.Mount{Destination: "/mnt", Source: src, Options: []string{"rbind", "ro"}})
	b.refuses(t, "root.path ("+b.Root+"): open tree "+b.Root+": permission denied") // by its own rights alone
	for _, dir := range []string{b.dir, filepath.Dir(b.dir)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out := b.run(t, `cat /mnt/file; touch /mnt/x`); out != "content of src\ntouch: /mnt/x: Read-only file system" {
		t.Error(out)
	}
}

func TestMoreSourcesThanOneAnswerCarries(t *testing.T) {
	b := newBox(t).userns(t, true)
	src := b.source(t, "src")
	for i := range 2*maxFiles + 1 {
		b.mount(specs.Mount{Destination: fmt.Sprintf("/mnt/%d", i), Source: src, Options: []string{"bind"}})
	}
	if out := b.run(t, `cat /mnt/*/file | wc -l`); out != "129" {
		t.Errorf("%s files", out)
	}
}

func TestLockedFlagsCannotBeCleared(t *testing.T) {
	b := newBox(t).userns(t, true)
	src := b.source(t, "src")
	tmpfs(t, src, unix.MS_NOSUID)
	b.mount(specs.Mount{Destination: "/mnt", Source: src, Options: []string{"rbind", "suid"}})
	b.refuses(t, "mounts[1] (/mnt): a flag of the mount is locked")
}

func TestSysOfTheHostIsReadOnlyThroughout(t *testing.T) { // CVE-2023-25809
	b := newBox(t).userns(t, false)
	b.mount(specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "ro"}})
	out := b.run(t, showMounts)
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); strings.HasPrefix(f[4], "/sys") && !strings.HasPrefix(f[5], "ro") {
			t.Errorf("not read-only: %s", line)
		}
	}
	at(t, out, "/sys")
}

func TestSysOfTheHostMustBeReadOnly(t *testing.T) {
	b := newBox(t).userns(t, false)
	b.mount(specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs"})
	b.refuses(t, "mounts[1] (/sys): a user namespace cannot mount a sysfs without a network namespace")
}

func TestIDMappedMounts(t *testing.T) {
	if !hasMountSetattr() {
		t.Skip("mount_setattr(2) is missing")
	}
	own := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 1000, Size: 1}, {ContainerID: 7, HostID: 1007, Size: 3}}
	for name, c := range map[string]struct {
		userns bool
		mount  specs.Mount
		want   string // owners of the directory and of what is mounted below
	}{
		"mappings of the mount":           {false, specs.Mount{Options: []string{"rbind", "idmap"}, UIDMappings: own, GIDMappings: own}, "1007:1000 7:0"},
		"without the word":                {false, specs.Mount{Options: []string{"bind"}, UIDMappings: own, GIDMappings: own}, "1007:1000"},
		"recursively":                     {false, specs.Mount{Options: []string{"rbind", "ridmap"}, UIDMappings: own, GIDMappings: own}, "1007:1000 1007:1000"},
		"mappings of the container":       {true, specs.Mount{Options: []string{"rbind", "ridmap"}}, "7:0 7:0"},
		"the mount's and the container's": {true, specs.Mount{Options: []string{"rbind", "ridmap"}, UIDMappings: shift(own), GIDMappings: shift(own)}, "1:0 1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if c.userns {
				b.userns(t, true)
			}
			src := b.source(t, "src")
			tmpfs(t, src, 0)
			if err := os.Mkdir(src+"/below", 0o755); err != nil {
				t.Fatal(err)
			}
			tmpfs(t, src+"/below", 0)
			for _, dir := range []string{src, src + "/below"} {
				if err := os.Chown(dir, 7, 0); err != nil {
					t.Fatal(err)
				}
			}
			c.mount.Destination, c.mount.Source = "/mnt", src
			b.mount(c.mount)
			out := b.run(t, `stat -c %u:%g /mnt; mount | grep -q /mnt/below && stat -c %u:%g /mnt/below`)
			if got := strings.ReplaceAll(out, "\n", " "); got != c.want {
				t.Errorf("owners %q, want %q", got, c.want)
			}
		})
	}
}

// shift is a mapping to ids that the container of userns has.
func shift([]specs.LinuxIDMapping) []specs.LinuxIDMapping {
	return []specs.LinuxIDMapping{{ContainerID: 0, HostID: mapped, Size: 1}, {ContainerID: 7, HostID: mapped + 1, Size: 1}}
}

func TestIDMappingNeedsAFileSystemThatCan(t *testing.T) {
	b := newBox(t)
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 1000, Size: 1}}
	b.mount(specs.Mount{Destination: "/mnt", Source: "/sys/kernel", Options: []string{"bind", "idmap"}, UIDMappings: ids, GIDMappings: ids})
	b.refuses(t, "mounts[1].source (/sys/kernel): its file system does not support id mappings: invalid argument")
}

func TestIDMappingNeedsMappings(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/mnt", Source: b.source(t, "src"), Options: []string{"bind", "idmap"}})
	b.refuses(t, "mounts[1] (/mnt): idmap needs uidMappings and gidMappings of the mount, or a user namespace of the container")
}
