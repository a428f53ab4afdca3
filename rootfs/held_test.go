package rootfs

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/plan"
)

// Who shares the directory that the root is in renames the mount point of /proc
// when it is mounted, and puts another directory in its place.
func TestMasksFollowTheMountThatTheyAreFor(t *testing.T) {
	for name, m := range map[string]specs.Mount{
		"proc":  {Destination: "/proc", Type: "proc"},
		"bind":  {Destination: "/proc", Source: "/proc", Options: []string{"rbind"}},
		"sysfs": {Destination: "/sys", Type: "sysfs"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.Spec.Mounts = []specs.Mount{m}
			masked, readonly := "/timer_list", "/sys"
			if name == "sysfs" {
				masked, readonly = "/kernel/debug", "/kernel"
			}
			b.Spec.Linux.MaskedPaths = []string{m.Destination + masked}
			b.Spec.Linux.ReadonlyPaths = []string{m.Destination + readonly}
			b.after = func(v *View) {
				v.p.Ask("exchange", nil, func(*plan.Call) error {
					if err := os.Rename(b.Root+m.Destination, b.Root+"/elsewhere"); err != nil {
						return err
					}
					return os.MkdirAll(b.Root+m.Destination+masked, 0o755)
				})
			}
			out := b.run(t, `[ -e /elsewhere/self ] || mount -t proc proc /proc; cat /elsewhere/self/mountinfo || cat /proc/self/mountinfo`)
			for _, path := range []string{"/elsewhere" + masked, "/elsewhere" + readonly} {
				if !strings.Contains(out, " "+path+" ") {
					t.Errorf("nothing is mounted at %s:\n%s", path, out)
				}
			}
		})
	}
}

// What is mounted over /proc later is what its masks are for.
func TestMasksAreOfTheMountThatIsVisible(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/mnt/proc", Type: "proc"}, specs.Mount{Destination: "/mnt", Type: "tmpfs"},
		specs.Mount{Destination: "/mnt/proc/secret", Type: "tmpfs"})
	b.Spec.Linux.MaskedPaths = []string{"/mnt/proc/secret", "/mnt/proc/kcore"}
	out := b.run(t, `ls /mnt/proc/secret; cat /proc/self/mountinfo`)
	if !strings.HasPrefix(at(t, out, "/mnt/proc/secret").options, "ro") || strings.Contains(out, " /mnt/proc/kcore ") {
		t.Errorf("the mounts are\n%s", out)
	}
}
