package count

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// sh runs a line of shell and counts.
func sh(t *testing.T, line string) *Counts {
	t.Helper()
	null := devNull(t)
	c, err := Run(Command{Args: []string{"/bin/sh", "-c", line}, Files: []*os.File{null, null, null}}, nil)
	if err != nil {
		t.Skipf("ptrace does not work here: %v", err)
	}
	return c
}

func devNull(t *testing.T) *os.File {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { null.Close() })
	return null
}

func TestCountsProcessesAndPrograms(t *testing.T) {
	c := sh(t, "/bin/true; /bin/true; exit 3")
	if c.Execs != 3 || c.Forks != 2 {
		t.Errorf("%d execs and %d forks, want 3 and 2", c.Execs, c.Forks)
	}
	if c.Status.ExitStatus() != 3 {
		t.Errorf("exit status %d, want 3", c.Status.ExitStatus())
	}
	if c.Others == 0 || c.Faults == 0 {
		t.Errorf("%d calls of children and %d page faults, want some", c.Others, c.Faults)
	}
}

func TestCountsEachCallOnce(t *testing.T) {
	few, many := sh(t, "kill -0 $$"), sh(t, "kill -0 $$; kill -0 $$; kill -0 $$")
	if d := many.Calls[unix.SYS_KILL] - few.Calls[unix.SYS_KILL]; d != 2 {
		t.Errorf("two more calls of kill were counted as %d", d)
	}
	if d := many.Parent - few.Parent; d != 2 {
		t.Errorf("two more calls of the shell were counted as %d", d)
	}
}

func TestLeavesWhatGoesOn(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = Run(Command{Args: []string{"/bin/sh", "-c", "{ sleep 0.2; echo done; } &"}, Files: []*os.File{devNull(t), w, w}}, nil)
	w.Close()
	if err != nil {
		t.Skipf("ptrace does not work here: %v", err)
	}
	b := make([]byte, 16)
	if n, _ := r.Read(b); string(b[:n]) != "done\n" {
		t.Errorf("the child that was left said %q", b[:n])
	}
}
