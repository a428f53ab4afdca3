package rootfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestTmpfsKeepsTheModeOfWhatItCovers(t *testing.T) {
	b := newBox(t)
	for dir, mode := range map[string]os.FileMode{"tmp": 0o777 | os.ModeSticky, "mnt": 0o700, "etc": 0o755} {
		if err := os.Chmod(filepath.Join(b.Root, dir), mode); err != nil {
			t.Fatal(err)
		}
	}
	b.mount(
		specs.Mount{Destination: "/tmp", Type: "tmpfs"},
		specs.Mount{Destination: "/mnt", Type: "tmpfs", Options: []string{"ro"}},
		specs.Mount{Destination: "/etc", Type: "tmpfs", Options: []string{"mode=711"}},
		specs.Mount{Destination: "/new/dir", Type: "tmpfs"}, // the file system's own default
	)
	out := b.run(t, "stat -c '%n %a' /tmp /mnt /etc /new/dir /new")
	if want := "/tmp 1777\n/mnt 700\n/etc 711\n/new/dir 1777\n/new 755"; out != want {
		t.Errorf("modes %s\nwant %s", out, want)
	}
}

func TestReadonlyTmpfsIsFilledFirst(t *testing.T) {
	for name, fallback := range fallbacks {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.NoMountSetattr = fallback
			b.mount(
				specs.Mount{Destination: "/dev", Type: "tmpfs", Options: []string{"ro", "nosuid"}},
				specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{"ro", "noexec"}},
				specs.Mount{Destination: "/tmp/below", Source: b.source(t, "src"), Options: []string{"bind"}},
			)
			out := b.run(t, "test -c /dev/null && cat /tmp/below/file; touch /dev/x /tmp/x; "+showMounts)
			if want := "content of src\ntouch: /dev/x: Read-only file system\ntouch: /tmp/x: Read-only file system\n"; !strings.HasPrefix(out, want) {
				t.Errorf("output %s", out)
			}
			if got := at(t, out, "/dev").options; got != "ro,nosuid,relatime" {
				t.Errorf("/dev: %s", got)
			}
			if got := at(t, out, "/tmp").options; got != "ro,noexec,relatime" {
				t.Errorf("/tmp: %s", got)
			}
		})
	}
}

// fill puts one file of each kind below a directory.
func fill(t *testing.T, dir string, owner int) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(dir+"/sub/deep", 0o755))
	must(os.WriteFile(dir+"/sub/deep/file", []byte(strings.Repeat("data", 5000)), 0o600))
	must(os.WriteFile(dir+"/setuid", nil, 0o600))
	must(os.Symlink("/etc/passwd", dir+"/link"))
	must(unix.Mkfifo(dir+"/fifo", 0o640))
	must(unix.Mknod(dir+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	must(unix.Setxattr(dir+"/setuid", "trusted.hull", []byte("x"), 0))
	for _, name := range []string{"sub/deep/file", "setuid", "fifo", "null", "link", "sub", "."} {
		must(os.Lchown(filepath.Join(dir, name), owner+7, owner+8))
	}
	must(os.Chmod(dir+"/setuid", 0o755|os.ModeSetuid))
	must(os.Chmod(dir+"/null", 0o666))
	must(os.Chmod(dir+"/sub", 0o500))
	must(os.Chmod(dir, 0o751))
	must(unix.UtimesNanoAt(unix.AT_FDCWD, dir+"/link", []unix.Timespec{{Sec: 1}, {Sec: 86400}}, unix.AT_SYMLINK_NOFOLLOW))
}

const showTree = `cd /mnt && find . | sort | while read f; do stat -c '%n %F %a %u:%g %s' "$f"; done; stat -c %Y link; readlink link`

func TestTmpCopyUp(t *testing.T) {
	for name, userns := range map[string]bool{"plain": false, "user namespace": true} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			owner, dev := 0, "./null character special file 666 7:8 0\n"
			if userns {
				b.userns(t, true)
				owner, dev = mapped, "" // of no use there
			}
			fill(t, b.Root+"/mnt", owner)
			if userns { // the directories between belong to nobody in particular
				if err := os.Lchown(b.Root+"/mnt/sub/deep", mapped, mapped); err != nil {
					t.Fatal(err)
				}
			}
			b.mount(specs.Mount{Destination: "/mnt", Type: "tmpfs", Options: []string{"tmpcopyup", "ro"}})
			out := b.run(t, showTree)
			want := ". directory 751 7:8 " + size(t, out, ". ") + "\n" +
				"./fifo fifo 640 7:8 0\n./link symbolic link 777 7:8 11\n" + dev +
				"./setuid regular empty file 4755 7:8 0\n" +
				"./sub directory 500 7:8 " + size(t, out, "./sub ") + "\n" +
				"./sub/deep directory 755 0:0 " + size(t, out, "./sub/deep ") + "\n" +
				"./sub/deep/file regular file 600 7:8 20000\n86400\n/etc/passwd"
			if out != want {
				t.Errorf("tree %s\nwant %s", out, want)
			}
		})
	}
}

// size is the last word of the line of out that starts with name: sizes of directories are the file system's business.
func size(t *testing.T, out, name string) string {
	t.Helper()
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); strings.HasPrefix(line, name) {
			return f[len(f)-1]
		}
	}
	t.Fatalf("no %sin %s", name, out)
	return ""
}

func TestTmpCopyUpKeepsExtendedAttributes(t *testing.T) {
	b := newBox(t)
	fill(t, b.Root+"/mnt", 0)
	b.mount(specs.Mount{Destination: "/mnt", Type: "tmpfs", Options: []string{"tmpcopyup"}})
	b.after = func(v *View) { // the mount is there now; the parent looks at it through the stage's descriptor
		v.p.OpenInRoot(v.Root, "/mnt/setuid", unix.O_RDONLY).To(v.src)
		v.p.Syscall("getxattr", unix.SYS_FGETXATTR, v.src, str("trusted.hull"), zero, zero)
		v.p.Close(v.src)
	}
	b.run(t, "true")
}

func TestTmpCopyUpGivesTheContainerNoFilesOfOthers(t *testing.T) {
	b := newBox(t).userns(t, true)
	if err := os.WriteFile(b.Root+"/mnt/secret", []byte("of the host's root"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.mount(specs.Mount{Destination: "/mnt", Type: "tmpfs", Options: []string{"tmpcopyup"}})
	out := b.run(t, "stat -c '%u:%g %a' /mnt/secret; cat /mnt/secret")
	if want := "65534:65534 600\ncat: can't open '/mnt/secret': Permission denied"; out != want {
		t.Errorf("output %q, want %q", out, want)
	}
}

func TestTmpCopyUpToANewDirectoryIsATmpfs(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/new", Type: "tmpfs", Options: []string{"tmpcopyup"}})
	if m := at(t, b.run(t, showMounts), "/new"); m.fstype != "tmpfs" {
		t.Errorf("%+v", m)
	}
}

func TestTmpCopyUpFailsWhenThereIsNoRoom(t *testing.T) {
	b := newBox(t)
	fill(t, b.Root+"/mnt", 0)
	b.mount(specs.Mount{Destination: "/mnt", Type: "tmpfs", Options: []string{"tmpcopyup", "size=4k"}})
	b.refuses(t, "no space left on device")
}

func TestMountLabelIsForFileSystemsThatTakeIt(t *testing.T) {
	if _, err := os.Stat("/sys/fs/selinux"); err == nil {
		t.Skip("SELinux is there")
	}
	b := newBox(t)
	b.Spec.Linux.MountLabel = "system_u:object_r:x:s0:c1,c2"
	b.run(t, "true") // /proc takes none
	b.mount(specs.Mount{Destination: "/tmp", Type: "tmpfs"})
	b.refuses(t, "mounts[1] (/tmp): set context=system_u:object_r:x:s0:c1,c2: tmpfs: Unknown parameter 'context'")
}
