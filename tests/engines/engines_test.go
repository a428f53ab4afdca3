// Package engines runs container engines with hull as their runtime, and with
// runc for comparison. `make test-engines` starts it in a world of its own.
package engines

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hull/tests/image"
)

// patience is how long a case may take, on an emulated machine too: no measure of speed.
const patience = 3 * time.Minute

// engine is one of them, ready to be used.
type engine struct {
	env   []string // for each command
	clean string   // removes what a check has left that failed
}

// check is a shell script in which $R is the runtime, how it has to end, and what it has to print.
type check struct {
	name, script string
	code         int
	want         string
}

// runtime is a program, and what the engine calls it: $BINARY and $R in checks.
type runtime struct{ name, path string }

// runtimes are hull and the control; runc may be missing.
func runtimes(t *testing.T) (hull, control runtime) {
	t.Helper()
	path, err := filepath.Abs("../../hull")
	if err != nil {
		t.Fatal(err)
	}
	if name := os.Getenv("HULL"); name != "" {
		path = name
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make first", err)
	}
	runc, _ := exec.LookPath("runc")
	return runtime{path, path}, runtime{runc, runc}
}

// need skips the test outside the world that it is for, or without programs of the engine.
func need(t *testing.T, world string, programs ...string) {
	t.Helper()
	if os.Getenv("ENGINES_WORLD") != world {
		t.Skipf("not in a world of its own: make %s", worlds[world])
	}
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%v: .ci/deps engines", err)
		}
	}
}

// worlds are where engines can do nothing to the host, and what starts them.
var worlds = map[string]string{
	"v1": "test-engines, as root on cgroup v1",
	"v2": "test-engines-vm, as root",
}

// busybox is an image's tar file.
func busybox(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	probe, root, tar := filepath.Join(dir, "probe"), filepath.Join(dir, "root"), filepath.Join(dir, "image.tar")
	if err := image.Probe("../probe", probe); err != nil {
		t.Fatal(err)
	}
	if err := image.Make(root, probe); err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command("busybox", "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(list)) {
		_ = os.Symlink("busybox", filepath.Join(root, "bin", name)) // some are there
	}
	if out, err := exec.Command("tar", "-C", root, "-cf", tar, ".").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	return tar
}

// sh runs a script and returns its exit code and all of its output.
func (e *engine) sh(t *testing.T, script string, r runtime) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Env = append(append(os.Environ(), e.env...), "R="+r.name, "BINARY="+r.path)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return -1, fmt.Sprintf("did not end in %s: %s", patience, out)
	}
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// must runs a script that prepares something.
func (e *engine) must(t *testing.T, script string) {
	t.Helper()
	if code, out := e.sh(t, script, runtime{}); code != 0 {
		t.Fatalf("%s: %d: %s", script, code, out)
	}
}

// excuses are what runc says on hosts that cannot do what the test asks for, which is then skipped.
var excuses = map[string]string{
	"TestPodman/checkpoint":     "criu failed",
	"TestContainerd/checkpoint": "criu failed",
}

// all runs the checks with the control, which shows that they and the host are right, and with hull.
func (e *engine) all(t *testing.T, hull, control runtime, checks []check) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if control.path != "" {
				if err := e.try(t, c, control); err != nil && excuses[t.Name()] != "" && strings.Contains(err.Error(), excuses[t.Name()]) {
					t.Skipf("runc cannot do it on this host either: %v", err)
				} else if err != nil {
					t.Errorf("with runc: %v", err)
				}
			}
			if err := e.try(t, c, hull); err != nil {
				t.Errorf("with hull: %v", err)
			}
		})
	}
}

// try runs a check, and says what was not as it has to be.
func (e *engine) try(t *testing.T, c check, r runtime) error {
	t.Helper()
	if code, out := e.sh(t, c.script, r); code != c.code || !strings.Contains(out, c.want) {
		_, _ = e.sh(t, e.clean, r)
		return fmt.Errorf("%s\nexit code %d, want %d; output %q, want %q in it", c.script, code, c.code, out, c.want)
	}
	return nil
}
