package security

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// target is a runtime that an attack is tried on.
type target struct {
	name  string
	known string                      // in what `--version` prints, where the attack is known to succeed
	off   []string                    // guards of hull that are off
	paths bool                        // paths of the container are resolved as ordinary ones
	fails bool                        // hull, built with failpoints
	asked func(*specs.Spec)           // the configuration asks for what the attack wants
	line  func(t *testing.T) []string // the command
}

// The targets. Of the distribution's runtimes only those builds are looked at
// that were seen to be vulnerable: its security team mends others.
var (
	hull = target{name: "hull", line: func(*testing.T) []string { return []string{hullPath} }}
	runc = target{name: "runc", known: "1.1.5+ds1-1+deb12u1", line: func(t *testing.T) []string { return []string{find(t, "RUNC", "runc")} }}
	crun = target{name: "crun", known: "crun version 1.8.1\n", line: crunLine}
)

// without is hull with guards switched off, by the names of operations (internal/plan) or of fail.Off.
func without(guards ...string) target {
	return target{name: "hull without " + strings.Join(guards, ", "), off: guards, fails: true, line: failing}
}

// withoutRoot is hull which follows the paths of the container as if they were its own, and
// without the guards that look at what was found.
func withoutRoot(guards ...string) target {
	g := without(guards...)
	g.name, g.paths = "hull without a root for paths", true
	return g
}

// asked is hull whose configuration allows what the attack needs: the guard is one that can be asked to go.
func asked(name string, change func(*specs.Spec)) target {
	return target{name: "hull asked for " + name, asked: change, line: hull.line}
}

func find(t *testing.T, variable, name string) string {
	t.Helper()
	if path := os.Getenv(variable); path != "" {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s to compare with: %v", name, err)
	}
	return path
}

// crunLine runs crun 1.8.1, which refuses a host where it sees cgroup v2 beside v1.
func crunLine(t *testing.T) []string {
	t.Helper()
	return []string{"unshare", "--mount", "sh", "-c", `umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"`, "sh", find(t, "CRUN", "crun")}
}

// failing is hull built with internal/fail's points. HULL_FAILPOINTS names one that is there already.
func failing(t *testing.T) []string {
	t.Helper()
	path, err := buildFailing()
	if err != nil {
		t.Fatal(err)
	}
	return []string{path}
}

var buildFailing = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("HULL_FAILPOINTS"); path != "" {
		return path, nil
	}
	path := filepath.Join(work, "hull-failpoints")
	build := exec.Command("make", "--silent", "-C", "../..", "hull", "TAGS=failpoints", "OUTPUT="+path)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build hull with failpoints: %w\n%s", err, out)
	}
	return path, nil
})

// env are the variables that switch guards off.
func (g *target) env(rootfs string) []string {
	if !g.fails {
		return nil
	}
	env := []string{"HULL_FAIL_OFF=" + strings.Join(g.off, ";")}
	if g.paths {
		env = append(env, "HULL_FAIL_ROOT="+rootfs)
	}
	return env
}

// isHull says whether what the target prints has to be as hull prints it.
func (g *target) isHull() bool { return g.known == "" }

// needKnown skips the test where the target is not the build that is vulnerable.
func (g *target) needKnown(t *testing.T) {
	t.Helper()
	if g.known == "" {
		return
	}
	line := g.line(t)
	out, err := exec.Command(line[0], append(line[1:], "--version")...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), g.known) {
		t.Skipf("this %s is not known to be vulnerable: %v %s", g.name, err, out)
	}
}

// attack tries something from inside a container, or with its image, and says
// what it has won: empty if nothing.
type attack func(b *bundle) (won string)

// replay tries the attack on hull, where it must not succeed, and on vulnerable
// targets, where it must.
func replay(t *testing.T, a attack, vulnerable ...target) {
	t.Helper()
	replayOn(t, hull, a, vulnerable...)
}

// replayOn is replay on another build of hull.
func replayOn(t *testing.T, tested target, a attack, vulnerable ...target) {
	t.Helper()
	t.Run(tested.name, func(t *testing.T) {
		if won := a(newBundle(t, tested)); won != "" {
			t.Errorf("the attack has succeeded: %s", won)
		}
	})
	for _, g := range vulnerable {
		t.Run(g.name, func(t *testing.T) {
			g.needKnown(t)
			b := newBundle(t, g)
			won := a(b)
			if won == "" {
				t.Errorf("the attack has not succeeded on a target that is vulnerable: it proves nothing. The last command: %s", b.last)
			}
			t.Logf("won: %.500s", won)
		})
	}
}
