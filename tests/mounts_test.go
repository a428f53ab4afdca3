package tests

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/moby/sys/mountinfo"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// options are the words of a mountinfo line: those of the mount, and those of the file system.
func options(m *mountinfo.Info) (mount, fs []string) {
	return strings.Split(m.Options, ","), strings.Split(m.VFSOptions, ",")
}

func TestEveryOptionWordHasItsEffect(t *testing.T) {
	for word, want := range map[string]string{
		"ro": "ro", "rw": "rw", "nosuid": "nosuid", "nodev": "nodev", "noexec": "noexec",
		"noatime": "noatime", "nodiratime": "nodiratime", "relatime": "relatime",
		"strictatime": "-relatime", "norelatime": "relatime", "nosymfollow": "nosymfollow",
		"suid": "-nosuid", "dev": "-nodev", "exec": "-noexec", "atime": "-noatime", "diratime": "-nodiratime",
		"nostrictatime": "relatime", "symfollow": "-nosymfollow", "defaults": "rw",
		"sync": "fs:sync", "async": "fs:-sync", "dirsync": "fs:dirsync",
		"mand": "rw", "nomand": "rw", "lazytime": "fs:lazytime", "nolazytime": "fs:-lazytime",
		"iversion": "rw", "noiversion": "rw", "silent": "rw", "loud": "rw",
		"size=1m": "fs:size=1024k", "mode=700": "fs:mode=700", "nr_inodes=77": "fs:nr_inodes=77",
		"private": "rw", "rprivate": "rw", "unbindable": "rw", "runbindable": "rw",
	} {
		t.Run(word, func(t *testing.T) {
			m := newBox(t, mount("/mnt", "tmpfs", "tmpfs", word)).report().mount("/mnt")
			if m == nil {
				t.Fatal("not mounted")
			}
			ofMount, ofFS := options(m)
			list := ofMount
			if rest, ok := strings.CutPrefix(want, "fs:"); ok {
				list, want = ofFS, rest
			}
			unwanted, negative := strings.CutPrefix(want, "-")
			if slices.Contains(list, unwanted) == negative {
				t.Errorf("want %s among %v", want, list)
			}
		})
	}
}

func TestBindMountHasItsOptions(t *testing.T) {
	for word, want := range map[string]string{
		"ro": "ro", "rw": "rw", "nosuid": "nosuid", "nodev": "nodev", "noexec": "noexec", "noatime": "noatime",
		"nodiratime": "nodiratime", "nosymfollow": "nosymfollow", "relatime": "relatime",
	} {
		t.Run(word, func(t *testing.T) {
			b := newBox(t)
			dir := b.canary("source")
			m := b.edit(bind(dir, word)).report().mount("/mnt")
			if m == nil {
				t.Fatal("not mounted")
			}
			if list, _ := options(m); !slices.Contains(list, want) {
				t.Errorf("want %s among %v", want, list)
			}
		})
	}
}

func TestLastOfContradictingOptionsCounts(t *testing.T) {
	b := newBox(t, mount("/mnt", "tmpfs", "tmpfs", "ro", "noexec", "rw", "exec", "nosuid"))
	ofMount, _ := options(b.report().mount("/mnt"))
	if !slices.Contains(ofMount, "rw") || slices.Contains(ofMount, "noexec") || !slices.Contains(ofMount, "nosuid") {
		t.Errorf("the options are %v", ofMount)
	}
}

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

func TestBindTakesOneMountAndRbindAll(t *testing.T) {
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

func TestRecursiveAttributesReachTheMountsBelow(t *testing.T) {
	for word, want := range map[string]string{
		"rro": "ro", "rnosuid": "nosuid", "rnodev": "nodev", "rnoexec": "noexec", "rnoatime": "noatime",
		"rnodiratime": "nodiratime", "rnosymfollow": "nosymfollow",
		"rrw": "rw", "rsuid": "-nosuid", "rdev": "-nodev", "rexec": "-noexec", "ratime": "-noatime",
		"rdiratime": "-nodiratime", "rrelatime": "relatime", "rstrictatime": "-relatime", "rsymfollow": "-nosymfollow",
		"rnorelatime": "-noatime", "rnostrictatime": "-noatime",
	} {
		t.Run(word, func(t *testing.T) {
			b := newBox(t)
			b.edit(mount("/mnt", "bind", b.nested("source"), "rbind", word))
			r := b.report()
			for _, path := range []string{"/mnt", "/mnt/sub"} {
				list, _ := options(r.mount(path))
				unwanted, negative := strings.CutPrefix(want, "-")
				if slices.Contains(list, unwanted) == negative {
					t.Errorf("%s: want %s among %v", path, want, list)
				}
			}
		})
	}
}

func TestPlainReadOnlyLeavesTheMountsBelowWritable(t *testing.T) {
	b := newBox(t, runProbe("mkdir", "/mnt/x", ",", "mkdir", "/mnt/sub/x"))
	b.edit(mount("/mnt", "bind", b.nested("source"), "rbind", "ro"))
	if got := b.mustRun(); got != "mkdir /mnt/x: EROFS\nmkdir /mnt/sub/x: ok\n" {
		t.Errorf("got %q", got)
	}
	b.check(os.Remove(b.path("source", "sub", "x")))
	b.edit(func(s *specs.Spec) { s.Mounts[len(s.Mounts)-1].Options = []string{"rbind", "rro"} })
	if got := b.mustRun(); got != "mkdir /mnt/x: EROFS\nmkdir /mnt/sub/x: EROFS\n" {
		t.Errorf("got %q", got)
	}
}

func TestMountPropagationIsAsAsked(t *testing.T) {
	for word, want := range map[string]string{
		"shared": "shared", "rshared": "shared", "slave": "master", "rslave": "master", "private": "", "rprivate": "",
		"unbindable": "unbindable", "runbindable": "unbindable",
	} {
		t.Run(word, func(t *testing.T) {
			b := newBox(t)
			dir := b.nested("source")
			b.check(unix.Mount("", dir, "", unix.MS_SHARED, ""))
			m := b.edit(mount("/mnt", "bind", dir, "rbind", word)).report().mount("/mnt")
			if m == nil {
				t.Fatal("not mounted")
			}
			got, _, _ := strings.Cut(m.Optional, ":")
			if got != want {
				t.Errorf("the mount is %q, want %q", m.Optional, want)
			}
		})
	}
}

func TestTmpcopyupFillsTheTmpfs(t *testing.T) {
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
	for name, edits := range map[string][]edit{"host namespace": nil, "own namespace": {namespace(specs.CgroupNamespace, "")}} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, append(edits, mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro", "nosuid", "noexec", "nodev"),
				runProbe("report", "/sys/fs/cgroup/pids/pids.max", ",", "mkdir", "/sys/fs/cgroup/pids/x"),
				func(s *specs.Spec) { s.Linux.Resources.Pids = &specs.LinuxPids{Limit: new(int64(55))} })...)
			first, rest, _ := strings.Cut(b.mustRun(), "\n")
			r := parseReport(t, first)
			if got := r.Files["/sys/fs/cgroup/pids/pids.max"]; got != "55\n" {
				t.Errorf("pids.max is %q", got)
			}
			if want := "mkdir /sys/fs/cgroup/pids/x: EROFS\n"; rest != want {
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

func TestIdmapShiftsTheOwners(t *testing.T) {
	maps := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 1000}}
	b := newBox(t)
	dir := b.path("source")
	b.check(os.MkdirAll(dir+"/sub", 0o755))
	b.check(os.Chown(dir, 7, 8))
	for _, c := range []struct {
		word, want string
		edit       edit
	}{
		{"idmap", "200007:200008", func(s *specs.Spec) { m := &s.Mounts[len(s.Mounts)-1]; m.UIDMappings, m.GIDMappings = maps, maps }},
		{"ridmap", "200007:200008", func(s *specs.Spec) { m := &s.Mounts[len(s.Mounts)-1]; m.UIDMappings, m.GIDMappings = maps, maps }},
		{"idmap", "7:8", userNamespace(200000)},
		{"nodev", "65534:65534", userNamespace(200000)},
	} {
		b := newBox(t, mount("/mnt", "bind", dir, "bind", c.word), c.edit, shell("stat -c %u:%g /mnt"))
		if got := strings.TrimSpace(b.mustRun()); got != c.want {
			t.Errorf("%s: the owner is %s, want %s", c.word, got, c.want)
		}
	}
}

func TestRidmapReachesTheMountsBelow(t *testing.T) {
	maps := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 1000}}
	b := newBox(t, shell("stat -c %u /mnt /mnt/sub"))
	dir := b.nested("source")
	for word, want := range map[string]string{"idmap": "200000\n0\n", "ridmap": "200000\n200000\n"} {
		b.configure(defaultSpec(b.id), mount("/mnt", "bind", dir, "rbind", word), shell("stat -c %u /mnt /mnt/sub"),
			func(s *specs.Spec) { m := &s.Mounts[len(s.Mounts)-1]; m.UIDMappings, m.GIDMappings = maps, maps })
		if got := b.mustRun(); got != want {
			t.Errorf("%s: the owners are %q, want %q", word, got, want)
		}
	}
}

func TestMountsOfTheHostStayAsTheyWere(t *testing.T) {
	before, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	b := newBox(t, func(s *specs.Spec) { s.Linux.RootfsPropagation = "rslave" }, runProbe("mount", "tmpfs", "/mnt", "tmpfs", "0"), privileged)
	if got := b.mustRun(); got != "mount tmpfs /mnt tmpfs 0: ok\n" {
		t.Fatalf("got %q", got)
	}
	after, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
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
