package security

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Destinations of mounts that the image, or whoever shares a volume, turns elsewhere.

// A container leaves a link where its next life has a mount.
func TestCVE_2015_3629_LinkLeftByTheContainersFormerLife(t *testing.T) {
	replay(t, func(b *bundle) string {
		dir := b.canary("canary")
		b.payload("rm -rf /data; ln -s " + dir + " /data")
		b.run()
		b.worked()
		b.edit(func(s *specs.Spec) { s.Process.Args = []string{"/bin/true"} })
		b.mount("/data/sub", "tmpfs", "tmpfs")
		b.run()
		return b.harm()
	}, withoutRoot())
}

func mountOverProc(destination string) attack {
	return func(b *bundle) string {
		b.check(os.MkdirAll(b.path("empty"), 0o755))
		b.mount(destination, "bind", b.path("empty"), "bind")
		b.payload(`grep ' /proc' /proc/self/mountinfo 2>/dev/null || echo no procfs`)
		r := b.run()
		b.refused("mounts[", "proc")
		if r.code != 0 {
			return ""
		}
		return r.out
	}
}

func TestCVE_2015_3631_VolumeOverAFileOfProc(t *testing.T) {
	replay(t, mountOverProc("/proc/sys"), without("check", "refuse"))
	for _, destination := range []string{"/proc/self", "/proc/1/attr", "/sys/../proc/self", "/proc//self/./attr"} {
		t.Run(destination, func(t *testing.T) { replay(t, mountOverProc(destination)) })
	}
}

func TestCVE_2019_16884_VolumeOverProc(t *testing.T) {
	replay(t, mountOverProc("/proc"), without("check", "verify a procfs, and nothing else may be mounted on /proc"))
}

func TestCVE_2019_18837_LastNameOfADestinationIsALink(t *testing.T) {
	for name, link := range map[string]string{"absolute": "%s/new", "relative": "../canary/new", "magic": "/proc/self/root%s/new"} {
		t.Run(name, func(t *testing.T) {
			var vulnerable []target
			if name != "magic" {
				vulnerable = []target{withoutRoot()}
			}
			replay(t, func(b *bundle) string {
				dir := b.canary("canary")
				b.replace("volume", strings.ReplaceAll(link, "%s", dir))
				b.check(os.WriteFile(b.path("source"), nil, 0o644))
				b.edit(func(s *specs.Spec) {
					m := specs.Mount{Destination: "/volume", Type: "bind", Source: b.path("source"), Options: []string{"bind"}}
					s.Mounts = append([]specs.Mount{m}, s.Mounts...)
				})
				b.run()
				return b.harm()
			}, vulnerable...)
		})
	}
}

// kernelLink makes the place of a kernel's file system a link of the image.
func kernelLink(name, to string) attack {
	return func(b *bundle) string {
		b.check(os.Mkdir(b.image("bad"), 0o755))
		b.replace(name, to)
		b.payload(`busybox awk '$5 ~ "bad"' /bad/self/mountinfo || echo; echo ran`)
		r := b.run()
		b.refused("must be mounted on ordinary directory", "mounts[")
		if r.code != 0 {
			return ""
		}
		return r.out
	}
}

func TestCVE_2019_19921_ProcOfTheImageIsALink(t *testing.T) {
	replay(t, kernelLink("proc", "bad"), withoutRootAndMasks())
	t.Run("absolute", func(t *testing.T) { replay(t, kernelLink("proc", "/bad")) })
}

func TestCVE_2023_27561_ProcOfTheImageIsALinkBackIntoIt(t *testing.T) {
	replay(t, kernelLink("proc", "./bad/../bad"), withoutRootAndMasks())
	t.Run("dangling", func(t *testing.T) { replay(t, kernelLink("proc", "/nonexistent")) })
}

func TestCVE_2023_28642_ProcOfTheImageIsNoDirectory(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"file": func(f string) error { return os.WriteFile(f, nil, 0o644) },
		"fifo": func(f string) error { return unix.Mkfifo(f, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, hull)
			b.check(os.Remove(b.image("proc")))
			b.check(make(b.image("proc")))
			b.run()
			b.refused("must be mounted on ordinary directory", "mounts[")
		})
	}
	replay(t, kernelLink("proc", "bin/../bad"), withoutRootAndMasks())
}

func TestCVE_2025_54867_SysOfTheImageIsALink(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.check(os.Mkdir(b.image("bad"), 0o755))
		b.replace("sys", "bad")
		b.payload(`grep ' /bad ' /proc/self/mountinfo`)
		r := b.run()
		b.refused("must be mounted on ordinary directory", "mounts[")
		return r.out
	}, withoutRoot())
}

// withoutRootAndMasks is withoutRoot for a container whose masks would find no /proc.
func withoutRootAndMasks() target {
	g := withoutRoot()
	g.asked = func(s *specs.Spec) { s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = nil, nil }
	return g
}

func TestCVE_2021_30465_DirectoryOfASharedVolumeBecomesALink(t *testing.T) {
	replay(t, func(b *bundle) string {
		dir := b.canary("canary")
		b.check(os.MkdirAll(b.path("volume"), 0o755))
		b.check(os.Symlink(dir, b.path("volume", "link")))
		b.lure(dir+"/dir", true)
		b.mount("/volume", "bind", b.path("volume"), "bind")
		b.mount("/volume/link/dir", "tmpfs", "astray")
		b.mount("/peek", "bind", dir, "rbind")
		b.payload(`grep '/peek/.* astray ' /proc/self/mountinfo`)
		return b.run().out
	}, withoutRoot())
}

// The same while somebody exchanges the directory and the link for each other all the time.
func TestCVE_2021_30465_DirectoryIsExchangedMeanwhile(t *testing.T) {
	replay(t, func(b *bundle) string {
		dir := b.canary("canary")
		b.check(os.MkdirAll(b.path("volume", "dir", "dir"), 0o755))
		b.check(os.Symlink(dir, b.path("volume", "link")))
		b.lure(dir+"/dir", true)
		b.exchange(b.path("volume", "dir"), b.path("volume", "link"))
		b.mount("/volume", "bind", b.path("volume"), "bind")
		b.mount("/volume/dir/dir", "tmpfs", "astray")
		b.mount("/peek", "bind", dir, "rbind")
		b.payload(`grep '/peek/.* astray ' /proc/self/mountinfo`)
		for range b.tries() {
			if r := b.run(); r.out != "" {
				return r.out
			}
		}
		return ""
	}, withoutRoot())
}

func TestCVE_2024_45310_DirectoriesAreMadeBehindALink(t *testing.T) {
	for _, destination := range []string{"/link/a/b/c", "/link/../link/x/y"} {
		t.Run(destination, func(t *testing.T) {
			replay(t, func(b *bundle) string {
				b.replace("link", b.canary("canary"))
				b.mount(destination, "tmpfs", "tmpfs")
				b.run()
				return b.harm()
			}, withoutRoot())
		})
	}
}
