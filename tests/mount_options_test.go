package tests

import (
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
