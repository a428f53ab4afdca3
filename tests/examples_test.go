package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hull/tests/image"
)

// example is a script of examples/ in a directory that every user can read, with hull beside it.
func example(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	needRoot(t, "the limits are cgroups of the host's, and another user is to build")
	dir := t.TempDir()
	t.Cleanup(func() {
		left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*"))
		if len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{hullPath: "hull", "../examples/bundle": "bundle", "../examples/" + name: name} {
		if err := image.Copy(from, filepath.Join(dir, to), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"tmp", "out"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, name), args...)
	cmd.Dir = filepath.Join(dir, "out")
	cmd.Env = append(os.Environ(), "HULL="+filepath.Join(dir, "hull"), "TMPDIR="+filepath.Join(dir, "tmp"))
	return cmd
}

// told is the exit code and all output.
func told(t *testing.T, cmd *exec.Cmd) (int, string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestExampleJobTellsItsExitCodeAndWhatItUsed(t *testing.T) {
	code, out := told(t, example(t, "job", "sh", "-c", `echo "a \"quoted\" word"; exit 7`))
	if code != 7 || !strings.Contains(out, "a \"quoted\" word\n") || !strings.Contains(out, "exit code: 7\n") || !strings.Contains(out, "oom_kill 0\n") {
		t.Errorf("exit code %d: %s", code, out)
	}
	cmd := example(t, "job", "sh", "-c", "tail /dev/zero; exit 4")
	cmd.Env = append(cmd.Env, "MEMORY=16777216")
	if code, out := told(t, cmd); code != 4 || !strings.Contains(out, "oom_kill 1\n") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestExampleBuildNeedsNoPrivileges(t *testing.T) {
	cmd := example(t, "build", "out.tar", "script")
	script := "echo built by $(id -u) >/out/file\ntouch /etc/mine\n"
	if err := os.WriteFile(filepath.Join(cmd.Dir, "script"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: userID, Gid: userID}}
	cmd.Env = append(cmd.Env, "HOME=/", "XDG_RUNTIME_DIR=")
	if code, out := told(t, cmd); code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	out, err := exec.Command("tar", "-xOf", filepath.Join(cmd.Dir, "out.tar"), "./file").CombinedOutput()
	if err != nil || string(out) != "built by 0\n" {
		t.Errorf("the file is %q: %v", out, err)
	}
}

func TestExampleParallelEndsWhatTakesTooLong(t *testing.T) {
	cmd := example(t, "parallel", "2", "2")
	cmd.Stdin = strings.NewReader("echo hi\nsleep 1000\nexit 3\n")
	code, out := told(t, cmd)
	for _, line := range []string{"0 echo hi\n", "137 sleep 1000\n", "3 exit 3\n"} {
		if code != 0 || !strings.Contains(out, line) {
			t.Errorf("exit code %d, want 0; %q, want %q in it", code, out, line)
		}
	}
}

func TestExampleParallelLeavesNothingWhenItIsEnded(t *testing.T) {
	cmd := example(t, "parallel", "1000", "2")
	cmd.Stdin = strings.NewReader("sleep 1000\nsleep 1000\n")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := func() int {
		dirs, _ := filepath.Glob(filepath.Join(filepath.Dir(cmd.Path), "tmp", "*", "state", "*", "state.json"))
		return len(dirs)
	}
	for end := time.Now().Add(patience); running() < 2 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := running(); n != 2 {
		t.Errorf("%d containers are there, want 2", n)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
}
