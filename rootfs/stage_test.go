package rootfs

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/nsenter"
)

// box is a bundle whose container the tests look at from inside.
type box struct {
	Options

	dir    string // scratch, beside the root
	flags  uintptr
	before func(*plan.Plan) // operations before the view
	after  func(*View)      // operations between Devices and Restrict
	joined func(*plan.Plan) // operations after Pivot
}

// newBox makes a root file system with a busybox, and a configuration with a mount of /proc.
func newBox(t *testing.T) *box {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("needs busybox-static")
	}
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	for _, sub := range []string{"bin", "proc", "sys", "dev", "etc", "tmp", "mnt"} {
		if err := os.MkdirAll(filepath.Join(root, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "bin/busybox"), b, 0o755); err != nil {
		t.Fatal(err)
	}
	return &box{dir: dir, flags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Options: Options{
		Bundle: dir, Root: root,
		Spec: &specs.Spec{
			Root:   &specs.Root{Path: "root"},
			Mounts: []specs.Mount{{Destination: "/proc", Type: "proc", Source: "proc"}},
			Linux:  &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}}},
		},
	}}
}

// mount adds mounts to the configuration.
func (b *box) mount(m ...specs.Mount) { b.Spec.Mounts = append(b.Spec.Mounts, m...) }

// plan is the whole plan that runs script in the container.
func (b *box) plan(script string) (*plan.Plan, error) {
	p := plan.New()
	p.Syscall("umask", unix.SYS_UMASK, plan.N(0))
	p.Syscall("setsid", unix.SYS_SETSID)
	if b.before != nil {
		b.before(p)
	}
	v, err := New(p, b.Options)
	if err != nil {
		return nil, err
	}
	v.Prepare()
	v.Mounts()
	v.Devices()
	if b.after != nil {
		b.after(v)
	}
	v.Restrict()
	v.Pivot()
	if b.joined != nil {
		b.joined(p)
	}
	p.At("process.args[0]", "")
	p.LookPath("/bin/busybox", "", 0, 0)
	const applets = `for a in cat ls stat mkdir touch grep awk id readlink mount umount wc sort head test find tty stty dd mknod sleep; do
		eval "$a() { /bin/busybox $a \"\$@\"; }"; done; `
	p.Exec([]string{"sh", "-c", applets + script}, []string{"PATH=/bin"})
	return p, nil
}

// try runs script in the container and returns its output.
func (b *box) try(t *testing.T, script string) (string, error) {
	t.Helper()
	p, err := b.plan(script)
	if err != nil {
		return "", err
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	s, err := nsenter.Start(p, nsenter.Options{CloneFlags: b.flags, Stdio: [3]*os.File{null, w, w}})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Serve(nil); err != nil {
		s.Kill()
		return "", err
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(out)), nil
}

// run is try that must succeed.
func (b *box) run(t *testing.T, script string) string {
	t.Helper()
	out, err := b.try(t, script)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// refuses wants that the container cannot be made, with an error that contains want.
func (b *box) refuses(t *testing.T, want string) {
	t.Helper()
	out, err := b.try(t, "echo ran")
	if err == nil {
		t.Fatalf("it ran: %s", out)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q, want %q in it", err, want)
	}
}

// Arguments of system calls that only tests make.
var zero = plan.N(0)

func str(s string) plan.Arg { return plan.Str(s) }
