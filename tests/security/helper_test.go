package security

import (
	"os"
	"os/exec"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/tests/image"
)

// A program that runs with the rights of hull's caller, such as newuidmap, is
// found where whoever chose the environment has put another.
func TestCVE_2026_84042_HelperIsFoundThroughTheEnvironment(t *testing.T) {
	for _, name := range []string{"newuidmap", "newgidmap", "setpriv", "unshare"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("install uidmap and util-linux: %v", err)
		}
	}
	replay(t, func(b *bundle) string {
		const user = 61234
		b.check(os.Mkdir(b.path("evil"), 0o755))
		b.check(os.Mkdir(b.path("won"), 0o777))
		b.check(os.Chmod(b.path("won"), 0o777))
		for _, name := range []string{"newuidmap", "newgidmap"} {
			script := "#!/bin/sh\necho $0 >" + b.path("won", name) + "\nexec /usr/bin/" + name + ` "$@"` + "\n"
			b.check(os.WriteFile(b.path("evil", name), []byte(script), 0o755))
		}
		for _, f := range []string{"passwd", "group"} {
			text, err := os.ReadFile("/etc/" + f)
			b.check(err)
			b.check(os.WriteFile(b.path(f), append(text, "hull-test:x:61234:61234::/:/bin/sh\n"...), 0o644))
		}
		for _, f := range []string{"subuid", "subgid"} {
			b.check(os.WriteFile(b.path(f), []byte("hull-test:700000:65536\n"), 0o644))
		}
		b.edit(func(s *specs.Spec) {
			s.Process.Env = []string{"PATH=" + b.path("evil") + ":/bin"}
			ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: user, Size: 1}, {ContainerID: 1, HostID: 700000, Size: 65535}}
			s.Linux.UIDMappings, s.Linux.GIDMappings, s.Linux.Resources, s.Linux.CgroupsPath = ids, ids, nil, ""
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		})
		for _, path := range []string{b.dir, b.rootfs, b.image("proc"), b.image("sys"), b.image("dev"), b.image("tmp")} {
			b.check(os.MkdirAll(path, 0o755))
			b.check(os.Lchown(path, user, user))
		}
		copied := b.path("hull") // the working tree may be out of the user's reach
		b.check(image.Copy(b.line(b.T)[0], copied, 0o755))
		b.line = func(*testing.T) []string { return []string{copied} }
		b.wrap = []string{"unshare", "-m", "sh", "-c", `cd ` + b.dir + `; for f in passwd group subuid subgid; do mount --bind $f /etc/$f || exit 99; done
			exec setpriv --reuid 61234 --regid 61234 --clear-groups -- "$@"`, "sh"}
		b.vars = []string{"PATH=" + b.path("evil") + ":/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR=" + b.dir}
		b.run()
		if b.last.code != 0 {
			b.Errorf("%s", b.last)
		}
		won, err := os.ReadDir(b.path("won"))
		b.check(err)
		if len(won) > 0 {
			return "what was run is " + string(b.read("won/"+won[0].Name()))
		}
		return ""
	}, without("host programs"))
}
