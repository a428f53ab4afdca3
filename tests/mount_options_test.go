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

// optionEffects are option words and what /proc/self/mountinfo says of a tmpfs with them: a word that is there, or not
// there (-), among the options of the mount, or of the file system (fs:).
var optionEffects = map[string]string{
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
}

// opposites are the words that others take back: they come first, so that there is something to take back.
var opposites = map[string]string{
	"rw": "ro", "suid": "nosuid", "dev": "nodev", "exec": "noexec", "atime": "noatime", "diratime": "nodiratime",
	"symfollow": "nosymfollow", "norelatime": "noatime", "nostrictatime": "strictatime", "relatime": "strictatime",
	"async": "sync", "nolazytime": "lazytime", "nomand": "mand", "noiversion": "iversion", "loud": "silent",
	"strictatime": "noatime", "defaults": "rw",
}

func TestEveryOptionWordHasItsEffect(t *testing.T) {
	for word, want := range optionEffects {
		t.Run(word, func(t *testing.T) {
			words := []string{word}
			if first := opposites[word]; first != "" {
				words = []string{first, word}
			}
			m := newBox(t, mount("/mnt", "tmpfs", "tmpfs", words...)).report().mount("/mnt")
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
	needRoot(t, "flags of the host's mounts are locked in a user namespace")
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

// recursiveEffects are the words that reach the mounts below, in the same way.
var recursiveEffects = map[string]string{
	"rro": "ro", "rnosuid": "nosuid", "rnodev": "nodev", "rnoexec": "noexec", "rnoatime": "noatime",
	"rnodiratime": "nodiratime", "rnosymfollow": "nosymfollow",
	"rrw": "rw", "rsuid": "-nosuid", "rdev": "-nodev", "rexec": "-noexec", "ratime": "-noatime",
	"rdiratime": "-nodiratime", "rrelatime": "relatime", "rstrictatime": "-relatime", "rsymfollow": "-nosymfollow",
	"rnorelatime": "-noatime", "rnostrictatime": "-noatime",
}

// oppositeFlags are what the mounts are made with, for words that take it back.
var oppositeFlags = map[string]uintptr{
	"rw": unix.MS_RDONLY, "suid": unix.MS_NOSUID, "dev": unix.MS_NODEV, "exec": unix.MS_NOEXEC, "atime": unix.MS_NOATIME,
	"diratime": unix.MS_NODIRATIME, "relatime": unix.MS_STRICTATIME, "strictatime": unix.MS_NOATIME,
	"symfollow": unix.MS_NOSYMFOLLOW, "norelatime": unix.MS_NOATIME, "nostrictatime": unix.MS_NOATIME,
}

func TestRecursiveAttributesReachTheMountsBelow(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	for word, want := range recursiveEffects {
		t.Run(word, func(t *testing.T) {
			b := newBox(t)
			dir := b.nested("source")
			if flags := oppositeFlags[strings.TrimPrefix(word, "r")]; flags != 0 {
				b.check(unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|flags, ""))
				b.check(unix.Mount("", dir+"/sub", "", unix.MS_BIND|unix.MS_REMOUNT|flags, ""))
			}
			b.edit(mount("/mnt", "bind", dir, "rbind", word))
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
	needRoot(t, "it mounts, makes devices or changes owners on the host")
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

// propagationEffects are the words of mount_namespaces(7), and the first of mountinfo's optional fields.
var propagationEffects = map[string]string{
	"shared": "shared", "rshared": "shared", "slave": "master", "rslave": "master", "private": "", "rprivate": "",
	"unbindable": "unbindable", "runbindable": "unbindable",
}

func TestMountPropagationIsAsAsked(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	for word, want := range propagationEffects {
		t.Run(word, func(t *testing.T) {
			b := newBox(t)
			dir := b.nested("source")
			b.check(unix.Mount("", dir, "", unix.MS_SHARED, ""))
			if word == "rslave" { // is one only of a shared mount
				b.check(unix.Mount("", dir+"/sub", "", unix.MS_SHARED, ""))
			}
			r := b.edit(mount("/mnt", "bind", dir, "rbind", word)).report()
			for path, want := range map[string]string{"/mnt": want, "/mnt/sub": want} {
				m := r.mount(path)
				if m == nil {
					t.Fatalf("%s is not mounted", path)
				}
				got, _, _ := strings.Cut(m.Optional, ":")
				if same := got == want; same != (path == "/mnt" || strings.HasPrefix(word, "r")) && want != "" {
					t.Errorf("%s with %s is %q", path, word, m.Optional)
				}
			}
		})
	}
}
