package tests

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// wantOutput runs the container, whose output has to be these lines.
func (b *box) wantOutput(lines ...string) {
	b.t.Helper()
	if got, want := b.mustRun(), strings.Join(lines, "\n")+"\n"; got != want {
		b.t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestRootIsTheBundlesAndNothingElse(t *testing.T) {
	b := newBox(t, shell("ls /; cat /marker; cd /../../..; ls -d marker"))
	b.check(os.WriteFile(b.rootfs+"/marker", []byte("mark\n"), 0o644))
	b.wantOutput("bin", "dev", "etc", "home", "marker", "mnt", "proc", "root", "sys", "tmp", "usr", "var", "mark", "marker")
	r := newBox(t).report()
	for _, m := range r.mounts() {
		if within(m.Mountpoint, work) || strings.HasPrefix(m.Mountpoint, "/sys/fs/cgroup") {
			t.Errorf("the host's mount is seen: %+v", m)
		}
	}
}

func TestRootIsWritableUnlessReadonly(t *testing.T) {
	b := newBox(t, runProbe("mkdir", "/made", ",", "mkdir", "/dev/shm/made"))
	b.wantOutput("mkdir /made: ok", "mkdir /dev/shm/made: ok")
	if _, err := os.Stat(b.rootfs + "/made"); err != nil {
		t.Error(err)
	}
	b.check(os.Remove(b.rootfs + "/made"))
	b.edit(func(s *specs.Spec) { s.Root.Readonly = true })
	b.wantOutput("mkdir /made: EROFS", "mkdir /dev/shm/made: ok")
}

func TestRootMayBeAnAbsolutePath(t *testing.T) {
	b := newBox(t, runProbe("say", "here"))
	b.check(os.Rename(b.rootfs, b.path("elsewhere")))
	b.edit(func(s *specs.Spec) { s.Root.Path = b.path("elsewhere") }).wantOutput("here")
}

func TestRootMayBeAMountPoint(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	b := newBox(t, runProbe("say", "here"))
	b.check(unix.Mount(b.rootfs, b.rootfs, "", unix.MS_BIND, ""))
	defer unix.Unmount(b.rootfs, unix.MNT_DETACH)
	b.check(unix.Mount("", b.rootfs, "", unix.MS_SHARED, ""))
	b.wantOutput("here")
}

func TestBundleMayBeReachedThroughALink(t *testing.T) {
	b := newBox(t, runProbe("say", "here"))
	b.check(os.Symlink(b.bundle, b.path("link")))
	b.bundle = b.path("link")
	b.wantOutput("here")
}

func TestRootPropagationIsAsAsked(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	for word, want := range map[string]string{
		"private": "", "rprivate": "", "slave": "master", "rslave": "master", "shared": "shared", "rshared": "shared", "unbindable": "unbindable",
	} {
		t.Run(word, func(t *testing.T) {
			b := newBox(t, func(s *specs.Spec) { s.Linux.RootfsPropagation = word })
			// A slave is one only of a shared mount.
			b.check(unix.Mount(b.bundle, b.bundle, "", unix.MS_BIND, ""))
			defer unix.Unmount(b.bundle, unix.MNT_DETACH)
			b.check(unix.Mount("", b.bundle, "", unix.MS_SHARED, ""))
			m := b.report().mount("/")
			if got, _, _ := strings.Cut(m.Optional, ":"); got != want {
				t.Errorf("the root is %q, want %q", m.Optional, want)
			}
		})
	}
}

func TestMountsOfTheHostReachASlave(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	b := newBox(t, func(s *specs.Spec) { s.Linux.RootfsPropagation = "rslave" }, runProbe("say", "ready", ",", "line", ",", "cat", "/mnt/late/file"))
	dir := b.nested("source")
	b.check(unix.Mount("", dir, "", unix.MS_SHARED, ""))
	b.check(os.Mkdir(dir+"/late", 0o755))
	l := b.edit(mount("/mnt", "bind", dir, "rbind", "rslave")).start()
	l.want("ready")
	b.check(unix.Mount(b.canary("canary"), dir+"/late", "", unix.MS_BIND, ""))
	defer unix.Unmount(dir+"/late", unix.MNT_DETACH)
	l.stdin.Close()
	b.waitStopped()
	if got := l.rest(); !strings.Contains(got, "canary") {
		t.Errorf("the container sees %q", got)
	}
}

func TestMaskedPathsAreEmpty(t *testing.T) {
	b := newBox(t, func(s *specs.Spec) {
		s.Linux.MaskedPaths = []string{"/etc/passwd", "/etc/dir", "/proc/keys", "/no/such", "/proc/acpi"}
	},
		runProbe("cat", "/etc/passwd", ",", "cat", "/proc/keys", ",", "open", "/etc/dir/file", "r", ",", "mkdir", "/etc/dir/x", ",", "open", "/etc/group", "r"))
	b.check(os.Mkdir(b.rootfs+"/etc/dir", 0o755))
	b.check(os.WriteFile(b.rootfs+"/etc/dir/file", nil, 0o644))
	b.wantOutput("open /etc/dir/file r: ENOENT", "mkdir /etc/dir/x: EROFS", "open /etc/group r: ok")
}

func TestReadonlyPathsAreReadonly(t *testing.T) {
	needRoot(t, "it looks at root's files")
	b := newBox(t, privileged, func(s *specs.Spec) { s.Linux.ReadonlyPaths = []string{"/etc", "/home/user/f", "/proc/sys", "/no/such"} },
		runProbe("mkdir", "/etc/x", ",", "write", "/home/user/f", "x", ",", "write", "/proc/sys/net/ipv4/ip_forward", "1", ",", "mkdir", "/var/x", ",", "cat", "/home/user/f"))
	b.check(os.WriteFile(b.rootfs+"/home/user/f", []byte("kept\n"), 0o644))
	b.wantOutput("mkdir /etc/x: EROFS", "write /home/user/f x: EROFS", "write /proc/sys/net/ipv4/ip_forward 1: EROFS", "mkdir /var/x: ok", "kept")
}

func TestReadonlyPathsKeepTheOptionsOfTheMount(t *testing.T) {
	b := newBox(t, mount("/mnt", "tmpfs", "tmpfs", "nosuid", "nodev", "noexec"), func(s *specs.Spec) { s.Linux.ReadonlyPaths = []string{"/mnt"} })
	if list := b.report().mount("/mnt").Options; !strings.HasPrefix(list, "ro,nosuid,nodev,noexec") {
		t.Errorf("the options are %s", list)
	}
}

func TestNoPivotStillHidesTheHost(t *testing.T) {
	b := newBox(t, shell("ls -d /bin /../bin "+work+" /etc/os-release 2>/dev/null; cd /..; ls -d marker"))
	b.check(os.WriteFile(b.rootfs+"/marker", nil, 0o644))
	r := b.run("--no-pivot")
	if want := "/../bin\n/bin\nmarker\n"; r.stdout != want {
		t.Errorf("want %q: %s", want, r)
	}
}
