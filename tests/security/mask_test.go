package security

import (
	"fmt"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// hook runs a script on the host when mounts are made and masks are not.
func (b *bundle) hook(script string) {
	b.Helper()
	b.edit(func(s *specs.Spec) {
		s.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-ec", script}, Env: []string{"PATH=/bin:/usr/bin"}}}}
	})
}

// Who shares the directory of the root renames the mount point of /proc between
// its mount and its masks: another container may, whose volume it is.
func TestMasksAreNotRedirectedByAnotherProc(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.hook(fmt.Sprintf(`cd %s; mv proc elsewhere; mkdir -p proc/sys`, b.rootfs))
		b.edit(func(s *specs.Spec) { s.Linux.MaskedPaths = []string{"/proc/timer_list"} })
		b.payload(`[ -c /elsewhere/timer_list ] || echo a masked file is $(stat -c %F /elsewhere/timer_list)
			(exec 3>>/elsewhere/sys/kernel/domainname) && echo a read-only file is open for writing; true`)
		r := b.run()
		b.worked()
		return r.out
	}, without("masks by descriptor"))
}
