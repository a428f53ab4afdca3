package rootfs

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

func TestConsole(t *testing.T) {
	for name, image := range map[string]func(file string) error{
		"missing": func(string) error { return nil },
		"file":    func(f string) error { return os.WriteFile(f, nil, 0o600) },
		"device":  func(f string) error { return unix.Mknod(f, unix.S_IFCHR|0o600, int(unix.Mkdev(5, 1))) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if err := image(b.Root + "/dev/console"); err != nil {
				t.Fatal(err)
			}
			b.mount(defaultMounts()[1])
			b.terminal(&specs.Process{ConsoleSize: &specs.Box{Height: 33, Width: 77}, User: specs.User{UID: 12}})
			out := b.run(t, `stat -c '%F %u:%g' /dev/console; stty size < /dev/tty; tty < /dev/pts/0; `+showMounts)
			if want := "character special file 12:5\n33 77\n/dev/pts/0\n"; !strings.HasPrefix(out, want) {
				t.Errorf("output %s\nwant %s first", out, want)
			}
			if m := at(t, out, "/dev/console"); m.fstype != "devpts" || m.root != "/0" {
				t.Errorf("%+v", m)
			}
		})
	}
}

// terminal gives the container one, which it controls; its output stays a pipe.
func (b *box) terminal(process *specs.Process) {
	b.after = func(v *View) {
		c := v.Console(process)
		v.p.Syscall("TIOCSCTTY", unix.SYS_IOCTL, c.Slave, plan.N(unix.TIOCSCTTY), zero)
		v.p.Close(c.Slave) // the master stays open: nobody hangs up
		v.p.Syscall("keep", unix.SYS_FCNTL, c.Master, plan.N(unix.F_SETFD), zero)
	}
}

func TestConsoleLinkDoesNotReachTheHost(t *testing.T) { // CVE-2026-88264
	b := newBox(t)
	c := b.canary(t)
	b.mount(defaultMounts()[1])
	b.replace(t, "dev/console", c.dir+"/new")
	b.terminal(&specs.Process{})
	b.refuses(t, "process.terminal (/dev/console): this is not a file or a device")
	c.unharmed(t)
}

func TestConsoleNeedsADevpts(t *testing.T) { // CVE-2025-52565
	for name, image := range map[string]func(dir string) error{
		"nothing": func(string) error { return nil },
		"dir":     func(d string) error { return os.Mkdir(d, 0o755) },
		"link":    func(d string) error { return os.Symlink("/proc/self", d) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			if err := image(b.Root + "/dev/pts"); err != nil {
				t.Fatal(err)
			}
			b.terminal(&specs.Process{})
			b.refuses(t, "a terminal needs a mount of type devpts at /dev/pts")
		})
	}
}

func TestExecConsole(t *testing.T) {
	b := newBox(t)
	b.mount(defaultMounts()[1])
	b.terminal(&specs.Process{})
	b.joined = func(p *plan.Plan) { // as exec has it: the root is the container's
		c := ExecConsole(p, &specs.Process{ConsoleSize: &specs.Box{Height: 5, Width: 6}, User: specs.User{UID: 3}})
		for stream := range 2 {
			p.Syscall("dup", unix.SYS_DUP3, c.Slave, plan.N(stream), zero)
		}
		p.Syscall("keep", unix.SYS_FCNTL, c.Master, plan.N(unix.F_SETFD), zero)
	}
	out := b.run(t, `{ tty; stty size; stat -c '%u:%g' /dev/pts/1; } < /dev/pts/1 >&2; readlink /proc/self/fd/0 >&2`)
	if want := "/dev/pts/1\n5 6\n3:5\n/dev/pts/1"; out != want {
		t.Errorf("output %q, want %q", out, want)
	}
}
