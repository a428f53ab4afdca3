package nsenter

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// start runs a plan with its output in the pipe returned.
func start(t *testing.T, p *plan.Plan, o Options) (*Stage, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	o.Stdio = [3]*os.File{os.Stdin, w, os.Stderr}
	s, err := Start(p, o)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func output(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStageExecsWhatLookPathFound(t *testing.T) {
	p := plan.New()
	p.LookPath("sh", "/nonexistent:/bin", 0, 0)
	p.Exec([]string{"sh", "-c", `echo "$A $0 $#"; exit 7`, "zero", "one"}, []string{"A=b", "PATH=/bin"})
	s, r := start(t, p, Options{})
	if err := s.Serve(nil); err != nil {
		t.Fatal(err)
	}
	if got, want := output(t, r), "b zero 1\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	status, err := s.Wait()
	if err != nil || status.ExitStatus() != 7 {
		t.Errorf("status %v, error %v, want exit 7", status, err)
	}
}

func TestFailureNamesTheFieldAndTheErrno(t *testing.T) {
	p := plan.New()
	p.At("mounts[3]", "/x")
	p.Fsopen("nofs").Into()
	s, _ := start(t, p, Options{})
	err := s.Serve(nil)
	want := `mounts[3] (/x): file system type "nofs" is not known to this kernel: no such device`
	if err == nil || err.Error() != want || !errors.Is(err, unix.ENODEV) {
		t.Errorf("error %v, want %s", err, want)
	}
	s.Kill()
}

func TestToleratedErrnoGoesOnAtTheLabel(t *testing.T) {
	p := plan.New()
	there, end := p.NewLabel(), p.NewLabel()
	p.Openat(plan.Cwd, "/nonexistent", unix.O_RDONLY, 0).On(there, unix.ENOENT)
	p.LookPath("false", "/bin", 0, 0).Then(end)
	p.Mark(there)
	p.LookPath("true", "/bin", 0, 0)
	p.Mark(end)
	p.Exec([]string{"x"}, nil)
	s, _ := start(t, p, Options{})
	if err := s.Serve(nil); err != nil {
		t.Fatal(err)
	}
	if status, err := s.Wait(); err != nil || status.ExitStatus() != 0 {
		t.Errorf("status %v, error %v", status, err)
	}
}

func TestAskExchangesDescriptorsAndText(t *testing.T) {
	p := plan.New()
	dir := p.Openat(plan.Cwd, "/", unix.O_PATH, 0).Into()
	into := p.Regs(2)
	p.AskFiles("files", []plan.Reg{plan.None, dir}, into, func(c *plan.Call) error {
		if len(c.Files) != 2 || c.Files[0] != nil {
			t.Errorf("files %v, want nothing and a directory", c.Files)
		}
		null, err := os.Open("/dev/null")
		etc, err2 := os.Open("/etc")
		c.Reply, c.ReplyFiles = "HOME=/here", []*os.File{null, etc}
		return errors.Join(err, err2)
	})
	p.Fchdir(into[1])
	p.LookPath("sh", "/bin", 0, 0)
	p.Exec([]string{"sh", "-c", "echo $HOME $PWD"}, []string{"X=1"})
	s, r := start(t, p, Options{})
	if err := s.Serve(nil); err != nil {
		t.Fatal(err)
	}
	if got, want := output(t, r), "/here /etc\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	_, _ = s.Wait()
}

func TestHandlersErrorEndsThePlan(t *testing.T) {
	p := plan.New()
	no := errors.New("no")
	p.Ask("anything", nil, func(*plan.Call) error { return no })
	p.Exec([]string{"never"}, nil)
	s, _ := start(t, p, Options{})
	if err := s.Serve(nil); !errors.Is(err, no) {
		t.Errorf("error %v, want %v", err, no)
	}
	if status, _ := s.Wait(); status.ExitStatus() != 1 {
		t.Errorf("status %v, want exit 1", status)
	}
}

func TestForkMakesAChildOfTheParent(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: new pid namespace")
	}
	p := plan.New()
	p.Fork(unix.CLONE_NEWPID, plan.None)
	p.LookPath("sh", "/bin", 0, 0)
	p.Exec([]string{"sh", "-c", "echo $$"}, nil)
	s, r := start(t, p, Options{})
	first := s.Pid
	if err := s.Serve(nil); err != nil {
		t.Fatal(err)
	}
	if s.Pid == first {
		t.Error("the stage did not report its child")
	}
	if got := strings.TrimSpace(output(t, r)); got != "1" {
		t.Errorf("pid %s in the new namespace, want 1", got)
	}
	if status, err := s.Wait(); err != nil || status.ExitStatus() != 0 {
		t.Errorf("status %v, error %v", status, err)
	}
}

func TestDecodeRefusesOtherLengths(t *testing.T) {
	for n := range 40 {
		if _, err := decode(make([]byte, n)); (err == nil) != (n == messageSize) {
			t.Errorf("%d bytes: error %v", n, err)
		}
	}
}

func TestAskTellsTheToleratedErrno(t *testing.T) {
	p := plan.New()
	p.Openat(plan.Cwd, "/nonexistent", unix.O_RDONLY, 0).On(plan.Next, plan.AnyErrno)
	p.Ask("why", nil, func(c *plan.Call) error {
		if c.Errno != unix.ENOENT {
			t.Errorf("errno %v, want %v", c.Errno, unix.ENOENT)
		}
		return nil
	})
	p.LookPath("true", "/bin", 0, 0)
	p.Exec([]string{"true"}, nil)
	s, _ := start(t, p, Options{})
	if err := s.Serve(nil); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Wait()
}

func TestClosedRegisterIsNoDescriptor(t *testing.T) {
	p := plan.New()
	r := p.Openat(plan.Cwd, "/", unix.O_PATH, 0).Into()
	p.Close(r)
	p.Close(r) // closes nothing, not descriptor 0
	p.LookPath("cat", "/bin", 0, 0)
	p.Exec([]string{"cat", "/proc/self/fd/0"}, nil)
	s, _ := start(t, p, Options{})
	if err := s.Serve(nil); err != nil {
		t.Fatal(err)
	}
	if status, err := s.Wait(); err != nil || status.ExitStatus() != 0 {
		t.Errorf("status %v, error %v", status, err)
	}
}

// Whoever speaks for the stage names a process that is not its own.
func TestForeignProcessIsNoChildOfTheStage(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "theirs")
	defer theirs.Close()
	p := plan.New()
	p.Fork(0, plan.None)
	s := &Stage{plan: p, sock: os.NewFile(uintptr(pair[0]), "ours")}
	defer s.Close()
	for _, pid := range []int{os.Getppid(), os.Getpid(), 1, 0, -1} {
		m := binary.NativeEndian.AppendUint32(nil, msgForked)
		m = binary.NativeEndian.AppendUint32(m, 0)
		m = binary.NativeEndian.AppendUint32(m, uint32(int32(pid)))
		if _, err := theirs.Write(m); err != nil {
			t.Fatal(err)
		}
		if err := s.Serve(nil); err == nil || !strings.Contains(err.Error(), "no child of ours") {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}
