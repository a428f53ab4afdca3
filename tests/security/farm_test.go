package security

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// farm are the names of an image that runtimes, their handlers and engines make, write or remove.
var farm = []string{
	"proc", "sys", "dev", "dev/pts", "dev/shm", "dev/mqueue", "dev/null", "dev/console", "dev/ptmx", "dev/fd", "dev/stdin", "dev/core",
	"etc/passwd", "etc/group", "etc/mtab", "etc/hostname", "etc/hosts", "etc/resolv.conf", "tmp", "run", "run/secrets", "var/tmp", "work", "work/dir", "volume", "volume/sub",
	".krun_config.json", ".dockerenv", ".pivot_root", ".oldroot", "config.json", "state.json",
}

// A link of the image, at each name that something could be written through.
func TestCVE_2025_24965_FileIsWrittenThroughALinkOfTheImage(t *testing.T) {
	for _, end := range []string{"/new", ""} {
		t.Run("to "+end, func(t *testing.T) {
			for _, name := range farm {
				b := newBundle(t, hull)
				b.farm(name, end)
				b.run()
				if won := b.harm(); won != "" {
					t.Errorf("%s: %s", name, won)
				}
			}
		})
	}
	t.Run("without a root for paths", func(t *testing.T) {
		b := newBundle(t, withoutRoot())
		b.farm("volume", "")
		b.run()
		if b.harm() == "" {
			t.Errorf("nothing was written: this proves nothing: %s", b.last)
		}
	})
}

// farm plants the link, and lets the configuration do something at every name.
func (b *bundle) farm(name, end string) {
	b.Helper()
	dir := b.canary("canary")
	b.check(os.MkdirAll(b.image(filepath.Dir(name)), 0o755))
	b.replace(name, dir+end)
	if name == "dev" || filepath.Dir(name) == "dev" {
		b.unmount("/dev") // which would hide it
	}
	b.check(os.WriteFile(b.path("source"), []byte("source\n"), 0o644))
	for _, file := range []string{"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"} {
		b.mount(file, "bind", b.path("source"), "bind", "ro")
	}
	b.mount("/tmp", "tmpfs", "tmpfs", "tmpcopyup")
	b.mount("/run/secrets", "tmpfs", "tmpfs")
	b.mount("/volume/sub", "tmpfs", "tmpfs")
	b.edit(func(s *specs.Spec) { s.Process.Cwd = "/work/dir" })
}
