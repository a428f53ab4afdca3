package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// denied is what hull and all that it starts are denied, as NAME=ERRNO: see
// deny/rules.c. The variable HULL_DENY denies it to all tests, which then pass,
// or are skipped when hull has said what docs/design.md, Kernels, lets it say.
var denied = strings.Fields(os.Getenv("HULL_DENY"))

// wayAround are the calls that hull does without, and what it refuses for lack of them.
var wayAround = map[string]string{
	"clone3":        "",
	"clone-pidfd":   "(missing: clone with CLONE_PIDFD", // unless clone3 takes its place
	"waitid-pidfd":  "",
	"close_range":   "",
	"mount_setattr": "need mount_setattr(2): Linux 5.12",
	"setns-pidfd":   "",
	"cgroup.kill":   "",
	"pidfd_getfd":   "fetch the seccomp listener: pidfd_getfd: ",
}

// needed are the calls that hull cannot do without, and what it calls them.
var needed = map[string]string{
	"openat2": "openat2", "open_tree": "open_tree", "move_mount": "move_mount", "fsopen": "fsopen",
	"fsconfig": "fsconfig", "fsmount": "fsmount", "fspick": "fspick",
	"pidfd_open": "pidfd_open", "pidfd_send_signal": "pidfd_send_signal",
}

// documented is what hull has to say when it fails for lack of the call, "" if it may not.
func documented(name string) string {
	if call, ok := needed[name]; ok {
		return "(missing: " + call
	}
	return wayAround[name]
}

// deny is the launcher, built when the first test needs it. HULL_LAUNCHER names
// one that is there already, for machines without a compiler.
var deny = sync.OnceValues(func() (string, error) {
	if built := os.Getenv("HULL_LAUNCHER"); built != "" {
		return built, nil
	}
	sources, err := filepath.Glob("deny/*.c")
	if err != nil {
		return "", err
	}
	out := filepath.Join(work, "deny")
	gcc := exec.Command("gcc", append([]string{"-static", "-Os", "-Wall", "-Wextra", "-Werror", "-o", out}, sources...)...)
	if text, err := gcc.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build deny: %w\n%s", err, text)
	}
	return out, nil
})

// launcher is the command that runs another with what is denied to the box.
func (b *box) launcher() []string {
	b.t.Helper()
	if len(b.denied) == 0 {
		return nil
	}
	path, err := deny()
	b.check(err)
	return append(append([]string{path}, b.denied...), "--")
}

// needListener skips a test whose container has a seccomp listener where there
// can be none: the kernel allows a process one, and deny may have it already.
func needListener(t *testing.T) {
	t.Helper()
	for _, d := range denied {
		switch name, _, _ := strings.Cut(d, "="); name {
		case "pidfd_getfd", "setns-pidfd", "cgroup.kill":
			t.Skipf("HULL_DENY=%s leaves no seccomp listener", d)
		}
	}
}

// needCall skips a test that needs the call, and looks for other things than why hull refuses what lacks it.
func needCall(t *testing.T, call string) {
	t.Helper()
	for _, d := range denied {
		if strings.HasPrefix(d, call+"=") {
			t.Skipf("HULL_DENY=%s takes what this needs", d)
		}
	}
}

// needCreate skips a test that looks elsewhere than at hull's message for what comes of create, where nothing does.
func needCreate(t *testing.T) {
	t.Helper()
	for _, call := range []string{"openat2", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount"} {
		needCall(t, call)
	}
}

// needFloor skips a test of how hull does under conditions where it does nothing.
func needFloor(t *testing.T) {
	t.Helper()
	for call := range needed {
		needCall(t, call)
	}
}

// unfiltered is what Seccomp in /proc/PID/status says of a process without a
// profile: deny's filter is the container's too. proc_pid_status(5)
func unfiltered() string {
	if len(denied) > 0 {
		return "2"
	}
	return "0"
}

// excuse skips the test when hull has failed as documented. What it was asked to
// make must be gone then: cleanup looks.
func (b *box) excuse(r *result) {
	b.t.Helper()
	if len(denied) == 0 || r.code != 1 && r.code != 255 {
		return
	}
	for _, d := range b.denied {
		name, _, _ := strings.Cut(d, "=")
		if text := documented(name); text != "" && strings.Contains(r.stderr, text) {
			if left := b.newLeftovers(); b.fresh && len(left) > 0 {
				b.t.Errorf("left behind: %s", strings.Join(left, ", "))
			}
			b.t.Skipf("as documented: %s", strings.TrimSpace(r.stderr))
		}
	}
}

// lookBefore remembers how things were before a command that may be excused.
func (b *box) lookBefore() {
	if len(denied) == 0 {
		return
	}
	entries, _ := os.ReadDir(b.root)
	b.fresh = !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !strings.HasPrefix(e.Name(), "~") })
	b.before = b.mounts()
}

// newLeftovers are those that the test has not made itself, as lookBefore saw.
func (b *box) newLeftovers() []string {
	return slices.DeleteFunc(b.leftovers(), func(s string) bool {
		path, ok := strings.CutPrefix(s, "mount ")
		return ok && slices.Contains(b.before, path)
	})
}
