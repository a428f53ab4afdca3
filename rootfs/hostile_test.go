package rootfs

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// canary is a directory of the host that a hostile image points to.
type canary struct{ dir string }

func (b *box) canary(t *testing.T) canary {
	t.Helper()
	c := canary{filepath.Join(b.dir, "canary")}
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.dir+"/ptmx", []byte("M"), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// unharmed wants that the directory is as it was made.
func (c canary) unharmed(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	content, _ := os.ReadFile(c.dir + "/ptmx")
	if strings.Join(names, " ") != "ptmx" || string(content) != "M" {
		t.Errorf("the host's directory holds %v, ptmx %q", names, content)
	}
}

// replace puts a symbolic link in the image.
func (b *box) replace(t *testing.T, name, target string) {
	t.Helper()
	file := filepath.Join(b.Root, name)
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, file); err != nil {
		t.Fatal(err)
	}
}

func TestDevLinkDoesNotReachTheHost(t *testing.T) { // CVE-2026-41579, CVE-2026-47766
	for _, target := range []string{"", "../canary", "../../../../../../canary", "/proc/self/cwd"} {
		t.Run(target, func(t *testing.T) {
			b := newBox(t)
			c := b.canary(t)
			if target == "" {
				target = c.dir
			}
			b.replace(t, "dev", target)
			b.Spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/../dev/x", Type: "c", Major: 1, Minor: 3}}
			_, _ = b.try(t, "true") // it may be made or refused
			c.unharmed(t)
		})
	}
}

func TestDevLinkInsideTheRootIsFollowed(t *testing.T) {
	b := newBox(t)
	b.replace(t, "dev", "/real/dev")
	out := b.run(t, `readlink /dev/ptmx; stat -c '%F %t:%T %a' /real/dev/null`)
	if want := "pts/ptmx\ncharacter special file 1:3 666"; out != want {
		t.Errorf("output %q, want %q", out, want)
	}
}

func TestDestinationLinksDoNotReachTheHost(t *testing.T) { // CVE-2019-18837, CVE-2021-30465, CVE-2024-45310
	for _, dest := range []string{"/abs", "/abs/a/b/c", "/rel", "/rel/a/b", "/abs/../abs/x", "/magic/a", "/dangling/a", "/abs/ptmx"} {
		for _, file := range []bool{false, true} {
			b := newBox(t)
			c := b.canary(t)
			b.replace(t, "abs", c.dir)
			b.replace(t, "rel", "../../../../../../../.."+c.dir)
			b.replace(t, "magic", "/proc/self/root/../.."+c.dir)
			b.replace(t, "dangling", c.dir+"/made")
			src := b.source(t, "src")
			if file {
				src += "/file"
			}
			b.Spec.Mounts = append([]specs.Mount{{Destination: dest, Source: src, Options: []string{"bind"}}}, b.Spec.Mounts...)
			_, _ = b.try(t, "true")
			c.unharmed(t)
		}
	}
}

func TestKernelFileSystemsNeedAPlainDirectory(t *testing.T) { // CVE-2019-19921, CVE-2023-27561, CVE-2025-54867
	for _, fstype := range []string{"proc", "sysfs"} {
		for _, target := range []string{"/bad", "/nonexistent", "bad/..", "../canary"} {
			b := newBox(t)
			c := b.canary(t)
			if err := os.Mkdir(b.Root+"/bad", 0o755); err != nil {
				t.Fatal(err)
			}
			name := strings.TrimSuffix(fstype, "fs")
			b.replace(t, name, target)
			b.Spec.Mounts = []specs.Mount{{Destination: "/" + name, Type: fstype, Source: fstype}}
			b.refuses(t, `filesystem "`+fstype+`" must be mounted on ordinary directory`)
			c.unharmed(t)
		}
	}
}

func TestKernelFileSystemsNeedADirectory(t *testing.T) {
	b := newBox(t)
	if err := os.Remove(b.Root + "/proc"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.Root+"/proc", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.refuses(t, `filesystem "proc" must be mounted on ordinary directory`)
}

func TestNothingIsMountedOverProc(t *testing.T) { // CVE-2015-3630, CVE-2019-16884
	for _, dest := range []string{"/proc", "/proc/self", "/proc/sys", "/proc/1/attr", "/sys/../proc/self", "/proc//self/./attr", "proc/self"} {
		for _, m := range []specs.Mount{
			{Destination: dest, Type: "tmpfs", Source: "tmpfs"},
			{Destination: dest, Source: "src", Options: []string{"bind"}},
		} {
			b := newBox(t)
			b.source(t, "src")
			b.mount(m)
			if out, err := b.try(t, "echo ran"); err == nil {
				t.Errorf("%s at %s: %s", m.Type, dest, out)
			} else if !strings.Contains(err.Error(), "mounts[1].") {
				t.Errorf("%s: error %v", dest, err)
			}
		}
	}
}

func TestNoLinkLeadsAMountIntoProc(t *testing.T) { // CVE-2025-52881
	for _, dest := range []string{"/x", "/x/self/attr", "/x/cpuinfo"} {
		b := newBox(t)
		b.replace(t, "x", "proc")
		b.mount(specs.Mount{Destination: dest, Type: "tmpfs", Source: "tmpfs"})
		b.refuses(t, "leads into /proc, where nothing may be mounted: operation not permitted")
	}
}

func TestNoLinkLeadsAMountToTheRoot(t *testing.T) {
	b := newBox(t)
	b.replace(t, "x", "/")
	b.mount(specs.Mount{Destination: "/x", Type: "tmpfs", Source: "tmpfs"})
	b.refuses(t, "mounts[1] (/x): leads to the root itself: operation not permitted")
}

func TestFilesOfLxcfsMayCoverProc(t *testing.T) {
	b := newBox(t)
	src := b.source(t, "src")
	b.mount(
		specs.Mount{Destination: "/proc/cpuinfo", Source: src + "/file", Options: []string{"bind"}},
		specs.Mount{Destination: "/proc/sys/kernel/ns_last_pid", Source: src + "/file", Options: []string{"bind"}},
	)
	if out := b.run(t, "cat /proc/cpuinfo /proc/sys/kernel/ns_last_pid"); out != "content of src\ncontent of src" {
		t.Error(out)
	}
}

func TestProcMayBeABindOfProc(t *testing.T) {
	b := newBox(t)
	b.Spec.Mounts = []specs.Mount{{Destination: "/proc", Type: "bind", Source: "/proc", Options: []string{"rbind"}}}
	if m := at(t, b.run(t, showMounts), "/proc"); m.fstype != "proc" || m.root != "/" {
		t.Errorf("%+v", m)
	}
}

func TestMasksAreNeverTheImagesNull(t *testing.T) { // CVE-2025-31133
	makers := map[string]func(file string) error{
		"link":    func(f string) error { return os.Symlink("/proc/sys/kernel/domainname", f) },
		"missing": func(string) error { return nil },
		"file":    func(f string) error { return os.WriteFile(f, []byte("x"), 0o600) },
		"fifo":    func(f string) error { return unix.Mkfifo(f, 0o600) },
		"dir":     func(f string) error { return os.Mkdir(f, 0o700) },
		"zero":    func(f string) error { return unix.Mknod(f, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))) },
		"mode 0":  func(f string) error { return unix.Mknod(f, unix.S_IFCHR, int(unix.Mkdev(1, 3))) },
	}
	for name, image := range makers {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			dev := b.source(t, "dev") // a bind mount: no devices are made in it
			if err := image(dev + "/null"); err != nil {
				t.Fatal(err)
			}
			b.mount(specs.Mount{Destination: "/dev", Source: dev, Options: []string{"bind"}})
			b.Spec.Linux.MaskedPaths = []string{"/proc/timer_list", "/proc/self/environ", "/proc/irq"}
			out := b.run(t, `stat -c '%F %t:%T' /proc/timer_list; `+showMounts)
			if !strings.HasPrefix(out, "character special file 1:3\n") {
				t.Error(out)
			}
			if m := at(t, out, "/proc/timer_list"); m.root != "/null" {
				t.Errorf("%+v", m)
			}
			if m := at(t, out, "/proc/irq"); m.fstype != "tmpfs" || !strings.HasPrefix(m.options, "ro") {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestFakeDevicesAreRefused(t *testing.T) {
	for name, image := range map[string]func(file string) error{
		"link":  func(f string) error { return os.Symlink("/proc/sysrq-trigger", f) },
		"file":  func(f string) error { return os.WriteFile(f, nil, 0o600) },
		"fifo":  func(f string) error { return unix.Mkfifo(f, 0o600) },
		"other": func(f string) error { return unix.Mknod(f, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 1))) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if err := image(b.Root + "/dev/null"); err != nil {
				t.Fatal(err)
			}
			b.refuses(t, "linux.devices (/dev/null): a file is there already that is not the character device 1:3")
		})
	}
}
