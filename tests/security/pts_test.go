package security

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// fakePts gives the container a terminal whose multiplexer is real, and whose
// other end is, by its name, a file of the kernel's or the real one: exchange
// puts the one in the place of the other, until the test ends.
func fakePts(b *bundle) {
	b.unmount("/dev")
	b.check(os.MkdirAll(b.image("dev/pts"), 0o755))
	b.check(os.MkdirAll(b.image("real"), 0o755))
	b.check(unix.Mknod(b.image("real/ptmx"), unix.S_IFCHR|0o666, int(unix.Mkdev(5, 2))))
	b.mount("/real/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620")
	b.replace("dev/ptmx", "/real/ptmx")
	b.replace("dev/pts/ptmx", "/real/ptmx")
	b.replace("dev/pts/0", "/proc/sys/kernel/domainname")
	b.replace("dev/pts/other", "/real/pts/0")
	b.edit(func(s *specs.Spec) { s.Process.Terminal = true })
	b.check(os.RemoveAll(b.path("console")))
	b.terminal()
}

// The bind of the terminal's name on /dev/console comes before the masks: the file stays within reach, writable.
func TestCVE_2025_52565_TerminalIsAFileOfTheKernels(t *testing.T) {
	replay(t, func(b *bundle) string {
		fakePts(b)
		b.exchange(b.image("dev/pts/0"), b.image("dev/pts/other"))
		b.payload(`grep ' /dev/console ' /proc/self/mountinfo >/report; sleep 1000`)
		for range b.tries() {
			r := b.runtime("create", "--bundle", b.dir, "--console-socket", b.path("console"), b.id)
			b.refused("a terminal needs a mount of type devpts at /dev/pts")
			if r.code == 0 && b.runtime("start", b.id).code == 0 {
				b.wait("report")
				if report := string(b.read("rootfs/report")); strings.Contains(report, " - proc ") {
					return report
				}
			}
			b.runtime("delete", "--force", b.id)
			_ = os.Remove(b.image("report"))
		}
		return ""
	}, runc)
}

// exchange exchanges two files over and over until the test ends.
func (b *bundle) exchange(one, other string) {
	b.Helper()
	stop, stopped := make(chan struct{}), make(chan struct{})
	b.Cleanup(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, one, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
			}
		}
	}()
}

// The same by exec, in a container that has made its /dev/pts something else.
func TestCVE_2025_52565_TerminalOfExecIsAFileOfTheKernels(t *testing.T) {
	b := newBundle(t, hull)
	fakePts(b)
	b.edit(func(s *specs.Spec) { s.Process.Terminal = false })
	b.payload("sleep 1000")
	b.start()
	b.runtime("exec", "--detach", "--tty", "--console-socket", b.path("console"), b.id, "/bin/true")
	b.refused("a terminal needs a mount of type devpts at /dev/pts")
}
