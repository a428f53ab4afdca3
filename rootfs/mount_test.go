package rootfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mountinfo is what /proc/self/mountinfo in the container says of one mount point.
type mountinfo struct{ root, options, peers, fstype, super string }

// at finds the topmost mount at dir in what the container printed.
func at(t *testing.T, out, dir string) mountinfo {
	t.Helper()
	var found *mountinfo
	for line := range strings.Lines(out) {
		left, right, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, g := strings.Fields(left), strings.Fields(right)
		if ok && len(f) >= 6 && len(g) >= 2 && f[4] == dir {
			found = &mountinfo{f[3], f[5], strings.Join(f[6:], " "), g[0], g[len(g)-1]}
		}
	}
	if found == nil {
		t.Fatalf("nothing is mounted at %s:\n%s", dir, out)
	}
	return *found
}

const showMounts = "cat /proc/self/mountinfo"

// source makes a directory with a file in it beside the root.
func (b *box) source(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("content of "+name+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBindsDirectoriesAndFiles(t *testing.T) {
	b := newBox(t)
	src := b.source(t, "src")
	b.mount(
		specs.Mount{Destination: "/mnt/dir", Source: src, Options: []string{"bind"}},
		specs.Mount{Destination: "/etc/new/file", Source: src + "/file", Options: []string{"rbind", "ro"}},
		specs.Mount{Destination: "relative", Source: "src", Options: []string{"bind", "ro"}},
	)
	out := b.run(t, `cat /mnt/dir/file /etc/new/file /relative/file; touch /mnt/dir/x; touch /relative/y; touch /etc/new/file; `+showMounts)
	want := "content of src\ncontent of src\ncontent of src\n" +
		"touch: /relative/y: Read-only file system\ntouch: /etc/new/file: Read-only file system\n"
	if !strings.HasPrefix(out, want) {
		t.Errorf("output %s\nwant %s first", out, want)
	}
	if _, err := os.Stat(src + "/x"); err != nil {
		t.Errorf("what the container wrote is not there: %v", err)
	}
}

// fallbacks are run with and without mount_setattr(2).
var fallbacks = map[string]bool{"mount_setattr": false, "mount": true}

func TestMountAttributes(t *testing.T) {
	for _, c := range []struct {
		options []string
		want    string // per-mount options in mountinfo
	}{
		{nil, "rw,nosuid,noatime"}, // those of the source are kept
		{[]string{"ro"}, "ro,nosuid,noatime"},
		{[]string{"ro", "rw"}, "rw,nosuid,noatime"},
		{[]string{"suid", "nodev", "noexec"}, "rw,nodev,noexec,noatime"},
		{[]string{"relatime"}, "rw,nosuid,relatime"},
		{[]string{"strictatime", "nodiratime"}, "rw,nosuid,nodiratime"},
		{[]string{"nosymfollow"}, "rw,nosuid,noatime,nosymfollow"},
		{[]string{"sync", "dirsync", "lazytime", "silent"}, "rw,nosuid,noatime"}, // superblock only
	} {
		for name, fallback := range fallbacks {
			t.Run(name+" "+strings.Join(c.options, ","), func(t *testing.T) {
				b := newBox(t)
				b.NoMountSetattr = fallback
				src := b.source(t, "src")
				tmpfs(t, src, unix.MS_NOSUID|unix.MS_NOATIME)
				b.mount(
					specs.Mount{Destination: "/mnt", Source: src, Options: append([]string{"rbind"}, c.options...)},
				)
				if got := at(t, b.run(t, showMounts), "/mnt").options; got != c.want {
					t.Errorf("options %s, want %s", got, c.want)
				}
			})
		}
	}
}

// tmpfs mounts one on a directory of the host for the time of the test.
func tmpfs(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	// The directory was there to hide: what the tests look at is on the tmpfs.
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("on tmpfs\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRecursiveAttributesReachMountsBelow(t *testing.T) {
	b := newBox(t)
	src := b.source(t, "src")
	if err := os.Mkdir(src+"/below", 0o755); err != nil {
		t.Fatal(err)
	}
	tmpfs(t, src+"/below", 0)
	b.mount(
		specs.Mount{Destination: "/one", Source: src, Options: []string{"rbind", "ro"}},
		specs.Mount{Destination: "/all", Source: src, Options: []string{"rbind", "rro", "rnoatime", "rnosuid"}},
		specs.Mount{Destination: "/none", Source: src, Options: []string{"bind"}},
	)
	out := b.run(t, showMounts)
	for dir, want := range map[string]string{
		"/one": "ro,relatime", "/one/below": "rw,relatime",
		"/all": "ro,nosuid,noatime", "/all/below": "ro,nosuid,noatime",
	} {
		if got := at(t, out, dir).options; got != want {
			t.Errorf("%s: options %s, want %s", dir, got, want)
		}
	}
	if strings.Contains(out, " /none/below ") {
		t.Error("a bind mount that is not recursive brought what is mounted below")
	}
}

func TestRecursiveAttributesNeedMountSetattr(t *testing.T) {
	b := newBox(t)
	b.NoMountSetattr = true
	b.mount(specs.Mount{Destination: "/mnt", Source: b.source(t, "src"), Options: []string{"rbind", "rro"}})
	b.refuses(t, "mounts[1] (/mnt): recursive attributes need mount_setattr(2): Linux 5.12")
}

func TestRemount(t *testing.T) {
	b := newBox(t)
	b.mount(
		specs.Mount{Destination: "/mnt", Type: "tmpfs", Options: []string{"size=64k"}},
		specs.Mount{Destination: "/mnt", Options: []string{"remount", "bind", "noexec", "ro"}},
		specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{"size=64k"}},
		specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{"remount", "ro", "nodev", "size=128k"}},
	)
	out := b.run(t, showMounts)
	if m := at(t, out, "/mnt"); m.options != "ro,noexec,relatime" || !strings.Contains(m.super, "size=64k") || !strings.HasPrefix(m.super, "rw") {
		t.Errorf("/mnt: %+v", m)
	}
	if m := at(t, out, "/tmp"); m.options != "ro,nodev,relatime" || !strings.Contains(m.super, "size=128k") || !strings.HasPrefix(m.super, "ro") {
		t.Errorf("/tmp: %+v", m)
	}
}

func TestRemountNeedsAMount(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/mnt", Type: "tmpfs", Options: []string{"remount", "ro"}})
	b.refuses(t, "mounts[1] (/mnt): nothing is mounted there that could be remounted: invalid argument")
}

func TestRefusesMissingSource(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/mnt", Source: "/nonexistent", Options: []string{"bind"}})
	b.refuses(t, "mounts[1].source (/nonexistent): no such file or directory")
}

func TestRefusesDirectoryOnFile(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/bin/busybox", Source: b.source(t, "src"), Options: []string{"bind"}})
	b.refuses(t, "mounts[1] (/bin/busybox): a directory cannot be mounted on a file, nor a file on a directory: not a directory")
}

func TestSaysWhatTheFileSystemDidNotLike(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/mnt", Type: "tmpfs", Options: []string{"nosuchthing=1"}})
	b.refuses(t, "mounts[1] (/mnt): set nosuchthing=1: tmpfs: Unknown parameter 'nosuchthing': invalid argument")
}

func TestOverlayWithLongLayers(t *testing.T) {
	b := newBox(t)
	long := strings.Repeat("l", 200)
	lower, upper, work := b.source(t, "lower"+long), b.source(t, "upper"+long), filepath.Join(b.dir, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lower+"/below", []byte("from below"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.mount(specs.Mount{Destination: "/mnt", Type: "overlay", Source: "overlay", Options: []string{
		"lowerdir=" + lower, "upperdir=" + upper, "workdir=" + work, "nodev", "private",
	}})
	out := b.run(t, `cat /mnt/below; echo; `+showMounts)
	if !strings.HasPrefix(out, "from below\n") {
		t.Error(out)
	}
	if m := at(t, out, "/mnt"); m.fstype != "overlay" || !strings.Contains(m.options, "nodev") {
		t.Errorf("%+v", m)
	}
}
