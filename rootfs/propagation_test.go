package rootfs

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestPropagation(t *testing.T) {
	for option, want := range map[string]string{
		"shared": "shared:", "private": "", "slave": "master:", "unbindable": "unbindable",
		"rshared": "shared:", "rprivate": "", "rslave": "master:", "runbindable": "unbindable",
	} {
		for name, fallback := range fallbacks {
			t.Run(name+" "+option, func(t *testing.T) {
				b := newBox(t)
				b.NoMountSetattr = fallback
				src := b.source(t, "src")
				tmpfs(t, src, 0)
				if err := unix.Mount("", src, "", unix.MS_SHARED, ""); err != nil {
					t.Fatal(err)
				}
				b.mount(
					specs.Mount{Destination: "/mnt", Source: src, Options: []string{"rbind", option}},
					specs.Mount{Destination: "/file", Source: src + "/file", Options: []string{"bind", option}},
					specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{option}},
				)
				out := b.run(t, showMounts)
				for _, dir := range []string{"/mnt", "/file", "/tmp"} {
					want := want
					if dir == "/tmp" && want == "master:" {
						want = "" // a new mount has nobody to be a slave of
					}
					if got := at(t, out, dir).peers; (want == "") != (got == "") || !strings.HasPrefix(got, want) {
						t.Errorf("%s: peers %q, want %q", dir, got, want)
					}
				}
			})
		}
	}
}

func TestMountsDoNotReachTheHost(t *testing.T) {
	for _, propagation := range []string{"", "private", "slave", "shared", "unbindable", "rshared"} {
		t.Run(propagation, func(t *testing.T) {
			b := newBox(t)
			tmpfs(t, b.source(t, "keep"), 0) // so that the bundle's mounts can be made shared
			if err := unix.Mount(b.dir, b.dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = unix.Unmount(b.dir, unix.MNT_DETACH) })
			if err := unix.Mount("", b.dir, "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
				t.Fatal(err)
			}
			before := hostMounts(t)
			b.Spec.Linux.RootfsPropagation = propagation
			b.mount(specs.Mount{Destination: "/tmp", Type: "tmpfs"})
			out := b.run(t, showMounts+"; test -d /proc/1 && mount -t tmpfs none /mnt; sleep 0")
			if after := hostMounts(t); after != before {
				t.Errorf("the host's mounts changed from\n%s\nto\n%s", before, after)
			}
			want := map[string]string{"": "master:", "private": "", "slave": "master:", "unbindable": "unbindable", "shared": "shared:", "rshared": "shared:"}[propagation]
			if got := at(t, out, "/").peers; (want == "") != (got == "") || !strings.HasPrefix(got, want) {
				t.Errorf("peers of the root %q, want %q", got, want)
			}
		})
	}
}

func hostMounts(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
