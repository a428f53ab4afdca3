package security

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The standard streams, the terminal, and what reaches the container of the caller's.

// nullOfTheImage makes /dev/null a link to a file of the host that is bind-mounted, and
// looks where the output of a program goes whose standard output is a pipe.
func nullOfTheImage(b *bundle) string {
	b.unmount("/dev")
	dir := b.canary("canary")
	b.check(os.WriteFile(b.image("target"), nil, 0o644))
	b.replace("dev/null", "/target")
	b.mount("/target", "bind", dir+"/file", "bind")
	b.edit(func(s *specs.Spec) { s.Process.User.UID, s.Linux.MaskedPaths = 1000, nil })
	b.payload("echo said")
	r, w, err := os.Pipe()
	b.check(err)
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := b.command(ctx, "run", "--bundle", b.dir, b.id)
	cmd.Stdout, cmd.Stdin = w, r
	b.finish(ctx, cmd)
	w.Close()
	out := make([]byte, 64)
	n, _ := r.Read(out)
	if harm := b.harm(); harm != "" {
		return harm
	}
	if b.last.code == 0 && string(out[:n]) != "said\n" {
		return fmt.Sprintf("the pipe got %q", out[:n])
	}
	return ""
}

func TestCVE_2026_88265_StreamsBecomeAFileThroughAFakeNull(t *testing.T) {
	replay(t, nullOfTheImage, runc)
}

// The same with a file as the standard output, and every name of the image's /dev that a runtime might open.
func TestCVE_2015_3627_StreamIsOpenedThroughTheImage(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.unmount("/dev")
		dir := b.canary("canary")
		b.check(os.WriteFile(b.image("target"), nil, 0o644))
		for _, name := range []string{"null", "stdin", "stdout", "stderr", "fd"} {
			b.replace("dev/"+name, "/target")
		}
		b.mount("/target", "bind", dir+"/file", "bind")
		b.edit(func(s *specs.Spec) { s.Linux.MaskedPaths = nil })
		b.payload("echo said")
		if r := b.run(); r.code == 0 && r.out != "said\n" {
			return fmt.Sprintf("the file got %q", r.out)
		}
		return b.harm()
	}, runc)
}

func TestCVE_2026_88264_ConsoleOfTheImageIsALink(t *testing.T) {
	replay(t, func(b *bundle) string {
		dir := b.canary("canary")
		b.unmount("/dev")
		b.check(os.MkdirAll(b.image("dev/pts"), 0o755))
		b.mount("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666")
		b.replace("dev/console", dir+"/new")
		b.edit(func(s *specs.Spec) { s.Process.Terminal = true })
		b.terminal()
		b.runtime("create", "--bundle", b.dir, "--console-socket", b.path("console"), b.id)
		return b.harm()
	}, crun)
}

// terminal listens for the terminal of the container, and keeps it open until the test ends.
func (b *bundle) terminal() {
	b.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	b.check(err)
	b.check(unix.Bind(fd, &unix.SockaddrUnix{Name: b.path("console")}))
	b.check(unix.Listen(fd, 128))
	b.Cleanup(func() { unix.Close(fd) }) // what nobody accepts stays in the queue
}

// A read-only root is asked for, where there is no procfs but what the image has made to look like one.
func TestCVE_2026_115521_RootStaysWritableThroughAFakeProc(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.unmount("/proc")
		b.check(os.MkdirAll(b.image("proc/self/fd"), 0o755))
		for fd := range 64 {
			b.check(os.Symlink("/mnt", b.image("proc/self/fd", fmt.Sprint(fd))))
		}
		b.mount("/mnt", "tmpfs", "tmpfs")
		b.mount("/ro", "tmpfs", "tmpfs", "ro")
		b.edit(func(s *specs.Spec) {
			s.Root.Readonly, s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = true, nil, nil
		})
		b.payload("echo x >/x && echo written to /; echo x >/ro/x && echo written to /ro; true")
		return b.run().out
	}, without("set mount attributes"))
}

// leaky runs a command of the runtime's whose caller leaks descriptors 3 to 42 of a directory of the host.
func (b *bundle) leaky(dir string, args ...string) *result {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := b.command(ctx, args...)
	f, err := os.Open(dir)
	b.check(err)
	defer f.Close()
	for range 40 {
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	return b.finish(ctx, cmd)
}

func TestCVE_2024_21626_WorkingDirectoryIsALeakedDescriptor(t *testing.T) {
	fds := []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 42}
	for _, prefix := range []string{"/proc/self/fd", "/proc/1/fd", "/dev/fd", "/link"} {
		t.Run(prefix, func(t *testing.T) {
			replay(t, func(b *bundle) string {
				dir := b.canary("canary")
				b.replace("link", "/proc/self/fd")
				for _, fd := range fds {
					cwd := fmt.Sprintf("%s/%d", prefix, fd)
					b.edit(func(s *specs.Spec) {
						s.Process.Cwd, s.Process.Args = cwd, []string{"/bin/sh", "-c", "cat ./file; cat ../../../../../../.." + dir + "/file"}
					})
					if r := b.leaky(dir, "run", "--bundle", b.dir, b.id); strings.Contains(r.out, "canary") {
						return cwd + ": " + r.out
					}
				}
				b.edit(func(s *specs.Spec) { s.Process.Cwd, s.Process.Args = "/", []string{"/bin/sleep", "1000"} })
				b.start()
				for _, fd := range fds {
					cwd := fmt.Sprintf("%s/%d", prefix, fd)
					if r := b.leaky(dir, "exec", "--cwd", cwd, b.id, "/bin/cat", "./file"); strings.Contains(r.out, "canary") {
						return "exec " + cwd + ": " + r.out
					}
					if r := b.leaky(dir, "exec", b.id, cwd+"/dir/deep/script"); r.code == 0 {
						return "executed " + cwd
					}
				}
				return ""
			}, without("close-on-exec", "verify the working directory"))
		})
	}
}

// The caller's standard input is the null device; the image has something else to read there.
func TestCVE_2026_88265_NullOfTheCallerBecomesAFileOfTheImage(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.unmount("/dev")
		b.check(os.WriteFile(b.image("dev/null"), []byte("of the image\n"), 0o666))
		b.edit(func(s *specs.Spec) { s.Linux.MaskedPaths = nil })
		b.payload("cat")
		return b.run().out
	}, without("verify the null device", "verify the character device 1:3"))
}
