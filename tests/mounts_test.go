package tests

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/moby/sys/mountinfo"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// nested makes a directory with a tmpfs mounted in it on the host.
func (b *box) nested(name string) string {
	b.t.Helper()
	dir := b.path(name)
	b.check(os.MkdirAll(dir, 0o755))
	b.check(unix.Mount(dir, dir, "", unix.MS_BIND, ""))
	b.check(unix.Mount("", dir, "", unix.MS_PRIVATE, ""))
	b.t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	b.check(os.MkdirAll(dir+"/sub", 0o755))
	b.check(unix.Mount("tmpfs", dir+"/sub", "tmpfs", 0, ""))
	b.t.Cleanup(func() { unix.Unmount(dir+"/sub", unix.MNT_DETACH) })
	return dir
}

// nestedBinds is nested of one file system: tmpfs takes no id maps before Linux 6.3.
func (b *box) nestedBinds(name string) string {
	b.t.Helper()
	dir := b.nested(name)
	b.check(os.MkdirAll(b.path(name+"-sub"), 0o755))
	b.check(unix.Unmount(dir+"/sub", 0))
	b.check(unix.Mount(b.path(name+"-sub"), dir+"/sub", "", unix.MS_BIND, ""))
	return dir
}

func TestBindTakesOneMountAndRbindAll(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	b := newBox(t)
	dir := b.nested("source")
	b.edit(mount("/mnt", "bind", dir, "bind"))
	if b.report().mount("/mnt/sub") != nil {
		t.Error("bind took the mount below too")
	}
	b.edit(func(s *specs.Spec) { s.Mounts[len(s.Mounts)-1].Options = []string{"rbind"} })
	if b.report().mount("/mnt/sub") == nil {
		t.Error("rbind did not take the mount below")
	}
}

func TestTmpcopyupFillsTheTmpfs(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	b := newBox(t, mount("/etc", "tmpfs", "tmpfs", "tmpcopyup"), shell("cat /etc/deep/file; stat -c '%a %u:%g' /etc/deep/file /etc/deep; ls /etc; echo x > /etc/new"))
	b.check(os.MkdirAll(b.rootfs+"/etc/deep", 0o751))
	b.check(os.WriteFile(b.rootfs+"/etc/deep/file", []byte("copied\n"), 0o604))
	b.check(os.Lchown(b.rootfs+"/etc/deep/file", 12, 34))
	if got, want := b.mustRun(), "copied\n604 12:34\n751 0:0\ndeep\ngroup\npasswd\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := os.Stat(b.rootfs + "/etc/new"); err == nil {
		t.Error("the tmpfs was written through")
	}
}

func TestMountPointsAreMade(t *testing.T) {
	b := newBox(t)
	dir := b.canary("source")
	b.edit(mount("/new/dir", "bind", dir, "bind", "ro"), mount("/new/etc/file", "bind", dir+"/file", "bind", "ro"),
		mount("/var/new", "tmpfs", "tmpfs"))
	r := b.report("/new/etc/file", "/new/dir/file")
	for _, path := range []string{"/new/dir", "/new/etc/file", "/var/new"} {
		if r.mount(path) == nil {
			t.Errorf("%s is not mounted", path)
		}
	}
	if r.Files["/new/etc/file"] != "canary\n" || r.Files["/new/dir/file"] != "canary\n" {
		t.Errorf("the files are %q", r.Files)
	}
}

func TestMountsAreMadeInOrder(t *testing.T) {
	b := newBox(t)
	dir := b.canary("source")
	b.edit(mount("/mnt", "tmpfs", "first"), mount("/mnt/in", "bind", dir, "bind", "ro"), mount("/var", "tmpfs", "hidden"), mount("/var", "tmpfs", "seen"))
	r := b.report()
	if r.mount("/mnt/in") == nil || r.mount("/var").Source != "seen" {
		t.Errorf("the mounts are\n%s", r.Files["/proc/self/mountinfo"])
	}
}

func TestMountTargetIsResolvedInsideTheRoot(t *testing.T) {
	b := newBox(t)
	b.canary("outside")
	b.check(os.Symlink("../../../../../../../../"+b.path("outside"), b.rootfs+"/relative"))
	b.check(os.Symlink(b.path("outside"), b.rootfs+"/absolute"))
	b.edit(mount("/relative/dir", "tmpfs", "tmpfs"), mount("/absolute/dir", "tmpfs", "tmpfs"), mount("/a/../../../b", "tmpfs", "tmpfs"))
	r := b.report()
	n := 0
	for _, m := range r.mounts() {
		if m.Mountpoint == b.path("outside")+"/dir" {
			n++
		}
	}
	if n != 2 || r.mount("/b") == nil {
		t.Errorf("the mounts are\n%s", r.Files["/proc/self/mountinfo"])
	}
}

func TestSpecialFileSystemsAreMounted(t *testing.T) {
	b := newBox(t, mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
		mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro", "nosuid", "noexec", "nodev", "relatime"))
	r := b.report()
	for path, kind := range map[string]string{"/proc": "proc", "/sys": "sysfs", "/dev": "tmpfs", "/dev/pts": "devpts", "/dev/mqueue": "mqueue", "/dev/shm": "tmpfs"} {
		if m := r.mount(path); m == nil || m.FSType != kind {
			t.Errorf("%s is %+v, want %s", path, m, kind)
		}
	}
}

func TestCgroupMountShowsOnlyTheContainersCgroup(t *testing.T) {
	dir := "/sys/fs/cgroup/pids"
	if onV2() {
		dir = "/sys/fs/cgroup"
	}
	for name, edits := range map[string][]edit{"host namespace": nil, "own namespace": {namespace(specs.CgroupNamespace, "")}} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, append(edits, mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro", "nosuid", "noexec", "nodev"),
				runProbe("report", dir+"/pids.max", ",", "mkdir", dir+"/x"),
				func(s *specs.Spec) { s.Linux.Resources.Pids = &specs.LinuxPids{Limit: new(int64(55))} })...)
			first, rest, _ := strings.Cut(b.mustRun(), "\n")
			r := parseReport(t, first)
			if got := r.Files[dir+"/pids.max"]; got != "55\n" {
				t.Errorf("pids.max is %q", got)
			}
			if want := "mkdir " + dir + "/x: EROFS\n"; rest != want {
				t.Errorf("got %q, want %q", rest, want)
			}
			for _, m := range r.mounts() {
				if m.FSType == "cgroup" && m.Root != "/"+b.id && m.Root != "/" {
					t.Errorf("the cgroup %s is seen at %s", m.Root, m.Mountpoint)
				}
			}
		})
	}
}

func TestMountsOfTheHostStayAsTheyWere(t *testing.T) {
	needRoot(t, "flags of the host's mounts are locked in a user namespace")
	b := newBox(t, func(s *specs.Spec) { s.Linux.RootfsPropagation = "rslave" }, runProbe("mount", "tmpfs", "/mnt", "tmpfs", "0"), privileged)
	before := b.hostMounts()
	if got := b.mustRun(); got != "mount tmpfs /mnt tmpfs 0: ok\n" {
		t.Fatalf("got %q", got)
	}
	if after := b.hostMounts(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// hostMounts are the mounts of the host, without those of other tests that may be at work.
func (b *box) hostMounts() string {
	b.t.Helper()
	infos, err := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) {
		return within(m.Mountpoint, os.TempDir()) && !within(m.Mountpoint, b.dir), false
	})
	b.check(err)
	var text strings.Builder
	for _, m := range infos {
		fmt.Fprintf(&text, "%d %s %s %s %s %s\n", m.ID, m.Root, m.Mountpoint, m.Options, m.Optional, m.FSType)
	}
	return text.String()
}

func TestMountErrorNamesTheFieldAndTheErrno(t *testing.T) {
	for name, c := range map[string]struct {
		edit  edit
		words []string
	}{
		"unknown type":   {mount("/mnt", "nosuchfs", "x"), []string{"mounts[5]", "/mnt", "nosuchfs", "no such device"}},
		"missing source": {bind("/no/such/source"), []string{"mounts[5]", "/no/such/source", "no such file or directory"}},
		"bad data":       {mount("/mnt", "tmpfs", "tmpfs", "size=nonsense"), []string{"mounts[5]", "/mnt", "size=nonsense", "invalid argument"}},
		"unknown word":   {mount("/mnt", "tmpfs", "tmpfs", "nosuchword"), []string{"mounts[5]", "/mnt", "nosuchword"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, c.edit)
			b.run().expect(b, 1, c.words...)
			b.wantNothingLeft()
		})
	}
}

func TestDirectoryCannotBeMountedOnAFile(t *testing.T) {
	b := newBox(t)
	dir := b.canary("source")
	b.edit(mount("/etc/passwd", "bind", dir, "bind"))
	b.run().expect(b, 1, "mounts[5]", "/etc/passwd", "not a directory")
	b.wantNothingLeft()
}

func TestManyMountsAreMade(t *testing.T) {
	b := newBox(t)
	for i := range 200 {
		b.spec.Mounts = append(b.spec.Mounts, specs.Mount{Destination: fmt.Sprintf("/mnt/%d", i), Type: "bind", Source: b.bundle, Options: []string{"bind", "ro"}})
	}
	if n := len(b.edit().report().mounts()); n < 200 {
		t.Errorf("there are %d mounts", n)
	}
}
