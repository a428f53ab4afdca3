package rootfs

import (
	"os"
	"path"

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
// /dev. A /dev that is a bind mount is somebody else's and stays as it is.
func (v *View) Devices() {
	if v.devIsBound() {
		return
	}
	p := v.p
	p.At("linux.devices", "/dev")
	dev := p.MkdirInRoot(v.Root, "/dev", 0o755).Into()
	for _, n := range defaultNodes {
		if !n.replaced(v.nodes) {
			p.At("linux.devices", n.path)
			v.node(dev, n)
		}
	}
	for _, n := range v.nodes {
		p.At(n.field, n.path)
		p.MkdirInRoot(v.Root, path.Dir(n.path), 0o755).To(v.fs)
		v.node(v.fs, n)
		p.Close(v.fs)
	}
	for _, l := range devLinks {
		p.At("linux.devices", "/dev/"+l.name)
		p.Symlinkat(l.target, dev, l.name).On(plan.Next, unix.EEXIST)
	}
	if _, err := os.Lstat("/proc/kcore"); err == nil {
		p.At("linux.devices", "/dev/core")
		p.Symlinkat("/proc/kcore", dev, "core").On(plan.Next, unix.EEXIST)
	}
	// Relative to the directory that is /dev inside the root: by path, a link
	// in the image would unlink and make files on the host (CVE-2026-41579).
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
