package security

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The state root and what is in it.

// In a state root like /tmp somebody else has put a container whose hook is his.
func TestForgedContainerRunsNoHook(t *testing.T) {
	b := newBundle(t, hull)
	b.payload("true")
	b.must("create", "--bundle", b.dir, b.id)
	b.must("start", b.id)
	b.check(os.Chmod(b.root, 0o777|os.ModeSticky))
	forged := b.root + "/forged"
	b.check(os.Mkdir(forged, 0o755))
	hook := `{"ociVersion":"1.0.2","root":{"path":"rootfs"},"hooks":{"poststop":[{"path":"/bin/touch","args":["touch","` + b.path("won") + `"]}]}}`
	b.check(os.WriteFile(forged+"/config.json", []byte(hook), 0o644))
	b.check(os.WriteFile(forged+"/state.json", []byte(`{"id":"forged","bundle":"/"}`), 0o644))
	b.check(os.Chown(forged, 1000, 1000))
	r := b.runtime("delete", "--force", "forged")
	if _, err := os.Stat(b.path("won")); err == nil {
		t.Errorf("the hook has run: %s", r)
	}
	b.refused("may be forged", "uid 1000")
	// Once it is ours the hook is ours too: what was tried above could have worked.
	b.check(os.Chown(forged, 0, 0))
	b.must("delete", "--force", "forged")
	if _, err := os.Stat(b.path("won")); err != nil {
		t.Error(err)
	}
}

func TestPidFileIsWrittenThroughNoLink(t *testing.T) {
	b := newBundle(t, hull)
	dir := b.canary("canary")
	b.check(os.Symlink(dir+"/file", b.path(".pid.new")))
	b.check(os.Symlink(dir+"/file", b.path("pid")))
	b.must("create", "--bundle", b.dir, "--pid-file", b.path("pid"), b.id)
	if won := b.harm(); won != "" {
		t.Error(won)
	}
}

func TestCVE_2021_41103_StateIsOutOfTheReachOfOthers(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.payload("sleep 1000")
		b.start()
		if b.name != hull.name { // what the guard keeps in order
			b.check(exec.Command("chmod", "-R", "go+rX", b.root).Run())
		}
		out, _ := exec.Command("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "find", b.root).Output()
		return strings.TrimPrefix(string(out), b.root+"\n")
	}, target{name: "hull whose state root was opened", line: hull.line})
	b := newBundle(t, hull)
	b.check(os.Mkdir(b.root, 0o777))
	b.check(unix.Chmod(b.root, 0o777))
	b.runtime("create", "--bundle", b.dir, b.id)
	b.refused("lets other users write")
}
