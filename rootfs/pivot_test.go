package rootfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

func TestNothingOfTheHostIsLeftAfterPivot(t *testing.T) {
	b := newBox(t)
	b.mount(defaultMounts()...)
	b.mount(specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{"ro"}})
	b.Spec.Linux.MaskedPaths = []string{"/proc/keys", "/proc/irq"}
	b.Spec.Linux.ReadonlyPaths = []string{"/proc/sys"}
	// The shell's own descriptors are 0 to 2, and 10 or more for its script.
	out := b.run(t, `for f in /proc/1/fd/*; do readlink $f; done; readlink /proc/1/cwd; readlink /proc/1/root; `+showMounts)
	links, mounts, _ := strings.Cut(out, "\n/\n/\n")
	for link := range strings.Lines(links) {
		if link = strings.TrimSpace(link); link != "/dev/null" && !strings.HasPrefix(link, "pipe:") && !leaked(t, link) {
			t.Errorf("an open descriptor leads to %q", link)
		}
	}
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); f[4] != "/" && !strings.HasPrefix(f[4], "/proc") && !strings.HasPrefix(f[4], "/dev") && !strings.HasPrefix(f[4], "/sys") && f[4] != "/tmp" {
			t.Errorf("a mount of the host: %s", line)
		}
	}
}

// leaked says whether the test itself has inherited a file that whoever runs it left open.
func leaked(t *testing.T, link string) bool {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if have, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && filepath.Base(have) == filepath.Base(link) {
			return true
		}
	}
	return false
}

func TestNoPivot(t *testing.T) {
	for name, userns := range map[string]bool{"plain": false, "user namespace": true} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if userns {
				b.userns(t, true)
			}
			b.NoPivot = true
			b.mount(specs.Mount{Destination: "/tmp", Type: "tmpfs"})
			out := b.run(t, `ls /; readlink /proc/1/root; `+showMounts)
			if want := "bin\ndev\netc\nmnt\nproc\nsys\ntmp\n/\n"; !strings.HasPrefix(out, want) {
				t.Errorf("output %s", out)
			}
			at(t, out, "/tmp")
		})
	}
}

func TestNoPivotLeavesNoKernelFileSystemBelow(t *testing.T) {
	for name, userns := range map[string]bool{"plain": false, "user namespace": true} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if userns {
				b.userns(t, true)
			}
			b.NoPivot = true
			b.after = func(v *View) {
				v.hideKernelMounts()
				for _, file := range []string{"/proc/self", "/sys/kernel"} {
					gone := v.p.NewLabel()
					v.p.OpenTree(plan.Cwd, file, 0).On(gone, unix.ENOENT)
					v.refuse("the host's "+file+" is still there", unix.EEXIST)
					v.p.Mark(gone)
				}
			}
			b.run(t, "true")
		})
	}
}

func TestWithoutAMountNamespaceThereIsAChroot(t *testing.T) {
	b := newBox(t)
	b.flags = unix.CLONE_NEWPID
	b.Spec.Linux.Namespaces = nil
	b.Spec.Mounts = nil
	before := hostMounts(t)
	if out := b.run(t, "ls /; test -c /dev/null && readlink /dev/fd"); out != "bin\ndev\netc\nmnt\nproc\nsys\ntmp\n/proc/self/fd" {
		t.Error(out)
	}
	if after := hostMounts(t); after != before {
		t.Errorf("the host's mounts changed from\n%s\nto\n%s", before, after)
	}
}

func TestWithoutAMountNamespaceNothingIsMounted(t *testing.T) {
	b := newBox(t)
	b.Spec.Linux.Namespaces = nil
	b.Spec.Root.Readonly = true
	b.Spec.Linux.MaskedPaths = []string{"/proc/keys"}
	b.Spec.Linux.ReadonlyPaths = []string{"/proc/sys"}
	b.Spec.Linux.RootfsPropagation = "shared"
	const fact = ": needs a mount namespace in linux.namespaces"
	b.refuses(t, "mounts"+fact+"\nlinux.maskedPaths"+fact+"\nlinux.readonlyPaths"+fact+"\nlinux.rootfsPropagation"+fact+"\nroot.readonly"+fact)
}

func TestRefusesAMissingRoot(t *testing.T) {
	b := newBox(t)
	b.Root += "/nonexistent"
	b.refuses(t, "root.path ("+b.Root+"): no such file or directory")
}

func TestRefusesARootThatIsAFile(t *testing.T) {
	b := newBox(t)
	b.Root += "/bin/busybox"
	b.refuses(t, "root.path ("+b.Root+"): this is not a directory")
}

func TestReadonlyRootLeavesMountsAlone(t *testing.T) {
	for name, fallback := range fallbacks {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.NoMountSetattr = fallback
			b.Spec.Root.Readonly = true
			b.mount(specs.Mount{Destination: "/tmp", Type: "tmpfs"})
			if out := b.run(t, "touch /tmp/x && touch /x"); out != "touch: /x: Read-only file system" {
				t.Error(out)
			}
		})
	}
}

func TestReadonlyPaths(t *testing.T) {
	for name, fallback := range fallbacks {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.NoMountSetattr = fallback
			b.mount(specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{"nosuid", "noexec", "noatime"}})
			b.mount(specs.Mount{Destination: "/tmp/sub/below", Type: "tmpfs"})
			b.Spec.Linux.ReadonlyPaths = []string{"/tmp/sub", "/etc", "/proc/nothing", "/bin/busybox/x", "/bin/busybox"}
			out := b.run(t, "touch /etc/x; touch /tmp/x /tmp/sub/below/x && touch /tmp/sub/x; "+showMounts)
			if want := "touch: /etc/x: Read-only file system\ntouch: /tmp/sub/x: Read-only file system\n"; !strings.HasPrefix(out, want) {
				t.Errorf("output %s", out)
			}
			if got := at(t, out, "/tmp/sub").options; got != "ro,nosuid,noexec,noatime" {
				t.Errorf("the flags of the mount were not kept: %s", got)
			}
			at(t, out, "/bin/busybox")
		})
	}
}

func TestCgroupHierarchies(t *testing.T) {
	for name, userns := range map[string]bool{"plain": false, "user namespace": true} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if userns {
				b.userns(t, true)
			}
			cpu, memory := b.source(t, "cg/cpu"), b.source(t, "cg/memory")
			if err := os.Chmod(filepath.Dir(b.dir), 0o755); err != nil { // cgroupfs can be entered by all
				t.Fatal(err)
			}
			b.Cgroups = []Hierarchy{{"cpu,cpuacct", cpu, []string{"cpu", "cpuacct"}}, {"memory", memory, nil}}
			b.mount(defaultMounts()[4], specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"}})
			out := b.run(t, `cd /sys/fs/cgroup; ls; cat cpu/file memory/file; readlink cpuacct; touch x memory/x; `+showMounts)
			want := "cpu\ncpu,cpuacct\ncpuacct\nmemory\ncontent of cg/cpu\ncontent of cg/memory\ncpu,cpuacct\n" +
				"touch: x: Read-only file system\ntouch: memory/x: Read-only file system\n"
			if !strings.HasPrefix(out, want) {
				t.Errorf("output %s", out)
			}
			for _, dir := range []string{"", "/memory", "/cpu,cpuacct"} {
				if got := at(t, out, "/sys/fs/cgroup"+dir).options; got != "ro,nosuid,nodev,noexec,relatime" {
					t.Errorf("%s: %s", dir, got)
				}
			}
		})
	}
}

func TestUnifiedCgroup(t *testing.T) {
	b := newBox(t)
	b.Cgroups = []Hierarchy{{Dir: b.source(t, "cg")}}
	b.mount(specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"ro"}})
	if out := b.run(t, `cat /sys/fs/cgroup/file; touch /sys/fs/cgroup/x`); out != "content of cg\ntouch: /sys/fs/cgroup/x: Read-only file system" {
		t.Error(out)
	}
}

func TestCgroupMountNeedsACgroup(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup"})
	b.refuses(t, "mounts[1] (/sys/fs/cgroup): the container has no cgroup that could be shown")
}

func TestRootAmongThePaths(t *testing.T) {
	b := newBox(t)
	b.Spec.Linux.ReadonlyPaths = []string{"/"}
	if out := b.run(t, "touch /x"); out != "touch: /x: Read-only file system" {
		t.Error(out)
	}
	b.Spec.Linux.MaskedPaths = []string{"//"}
	b.refuses(t, "linux.maskedPaths[0] (//): the root itself cannot be masked")
}
