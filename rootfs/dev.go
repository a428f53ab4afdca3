package rootfs

import (
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// devLinks are what runtime-linux.md "Dev symbolic links" wants in /dev, and
// what every other runtime puts there too.
var devLinks = []struct{ name, target string }{
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
}

// Devices makes the default devices, those of linux.devices, and the links in
// /dev. A /dev that is a bind mount is somebody else's: nothing is made there,
// and what linux.devices names in it must be there already.
func (v *View) Devices() {
	p := v.p
	bound := v.devIsBound()
	if !bound {
		v.defaultDevices()
	}
	for _, n := range v.nodes {
		if n.isPtmx() && !bound {
			continue // the link to the container's own stands there
		}
		p.At(n.field, n.path)
		if bound && strings.HasPrefix(n.path, "/dev/") {
			p.OpenInRoot(v.Root, n.path, unix.O_PATH).To(v.src).
				Because(unix.ENOENT, "is missing, and hull makes nothing in a /dev that is a bind mount")
			p.Check(v.src, 0, n.ifmt(), n.rdev, n.String())
			p.Close(v.src)
			continue
		}
		p.MkdirInRoot(v.Root, path.Dir(n.path), 0o755).To(v.fs)
		v.node(v.fs, n)
		p.Close(v.fs)
	}
}

// defaultDevices fills /dev. All names are relative to the directory that is
// /dev inside the root: by path, a link in the image would unlink and make
// files on the host (CVE-2026-41579).
func (v *View) defaultDevices() {
	p := v.p
	p.At("linux.devices", "/dev")
	dev := p.MkdirInRoot(v.Root, "/dev", 0o755).Into()
	for _, n := range defaultNodes {
		if !n.replaced(v.nodes) {
			p.At("linux.devices", n.path)
			v.node(dev, n)
		}
	}
	for _, l := range devLinks {
		p.At("linux.devices", "/dev/"+l.name)
		p.Symlinkat(l.target, dev, l.name).On(plan.Next, unix.EEXIST)
	}
	if _, err := os.Lstat("/proc/kcore"); err == nil {
		p.At("linux.devices", "/dev/core")
		p.Symlinkat("/proc/kcore", dev, "core").On(plan.Next, unix.EEXIST)
	}
	p.At("linux.devices", "/dev/ptmx")
	p.Unlinkat(dev, "ptmx", 0).On(plan.Next, unix.ENOENT)
	p.Symlinkat("pts/ptmx", dev, "ptmx")
	p.Close(dev)
}

func (v *View) devIsBound() bool {
	for i := range v.mounts {
		if m := &v.mounts[i]; m.Bind && !m.Remount && m.Destination == "/dev" {
			return true
		}
	}
	return false
}
