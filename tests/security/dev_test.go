package security

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The /dev of an image, or of a volume that others write to.

// devLink makes /dev a link of the image to a directory of the host.
func devLink(b *bundle) string {
	b.unmount("/dev")
	b.replace("dev", b.canary("canary"))
	b.run()
	return b.harm()
}

func TestCVE_2026_41579_DevOfTheImageIsALink(t *testing.T) {
	replay(t, devLink, runc, withoutRoot())
}

// The same in crun, with other ways to name the place.
func TestCVE_2026_47766_DevOfTheImageIsALinkThatExistsInsideToo(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.lure(b.path("canary"), true)
		return devLink(b)
	}, crun)
	for _, link := range []string{"../canary", "../../../../../../..%s", "/proc/1/root/%s", "/proc/self/root/%s"} {
		t.Run(link, func(t *testing.T) {
			b := newBundle(t, hull)
			b.unmount("/dev")
			dir := b.canary("canary")
			b.replace("dev", strings.ReplaceAll(link, "%s", dir))
			b.edit(func(s *specs.Spec) {
				for _, path := range []string{"/dev/../dev/x", "//dev//y"} {
					s.Linux.Devices = append(s.Linux.Devices, specs.LinuxDevice{Path: path, Type: "c", Major: 1, Minor: 3})
				}
			})
			b.run()
			if won := b.harm(); won != "" {
				t.Error(won)
			}
		})
	}
}

// nullMask hides files behind a /dev/null that the image has made.
func nullMask(b *bundle, null func(file string) error) string {
	b.unmount("/dev")
	b.check(null(b.image("dev/null")))
	b.edit(func(s *specs.Spec) { s.Linux.MaskedPaths = []string{"/proc/timer_list"} })
	b.payload(`exec >/report 2>&1; grep ' /proc/timer_list ' /proc/self/mountinfo; stat -c '%F' /proc/timer_list`)
	r := b.run()
	report, err := os.ReadFile(b.image("report"))
	if err != nil {
		if r.code == 0 {
			b.Fatalf("no report: %s", r)
		}
		return ""
	}
	lines := strings.Split(string(report), "\n")
	if fields := strings.Fields(lines[0]); len(fields) > 4 && fields[3] == "/null" && lines[1] == "character special file" {
		return ""
	}
	return "the mask is " + string(report)
}

func TestCVE_2025_31133_MaskIsAFileOfTheImage(t *testing.T) {
	replay(t, func(b *bundle) string {
		return nullMask(b, func(f string) error { return os.Symlink("/proc/sys/kernel/domainname", f) })
	}, runc)
	for name, null := range map[string]func(string) error{
		"missing": func(string) error { return nil },
		"file":    func(f string) error { return os.WriteFile(f, []byte("x"), 0o600) },
		"fifo":    func(f string) error { return unix.Mkfifo(f, 0o600) },
		"dir":     func(f string) error { return os.Mkdir(f, 0o700) },
		"zero":    func(f string) error { return unix.Mknod(f, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))) },
		"mode 0":  func(f string) error { return unix.Mknod(f, unix.S_IFCHR, int(unix.Mkdev(1, 3))) },
	} {
		t.Run(name, func(t *testing.T) { replay(t, func(b *bundle) string { return nullMask(b, null) }) })
	}
}

// The same, exchanged when the devices are there and whoever looked at them has done so.
func TestCVE_2025_62161_MaskBecomesAFileOfTheImage(t *testing.T) {
	replay(t, func(b *bundle) string {
		link := "rm -f " + b.image("dev/null") + "; ln -s /proc/sys/kernel/domainname " + b.image("dev/null")
		b.edit(func(s *specs.Spec) {
			s.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", link}, Env: []string{"PATH=/bin:/usr/bin"}}}}
		})
		return nullMask(b, func(string) error { return nil })
	}, runc)
}
