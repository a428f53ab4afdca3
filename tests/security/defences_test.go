package security

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What of the caller's must not reach a container, beside descriptors.

// The container would put words into the keyboard of the terminal that hull was
// called from: TIOCSTI, ioctl_tty(2).
func TestTerminalOfTheCallerIsOutOfReach(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.edit(func(s *specs.Spec) {
			s.Linux.Resources = nil // devices: not what is looked at here
		})
		b.payload(`(exec 3<>/dev/tty) 2>/dev/null && echo the terminal can be opened; true`)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		cmd := b.command(ctx, "run", "--bundle", b.dir, b.id)
		master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
		b.check(err)
		defer master.Close()
		b.check(unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
		peer, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
		b.check(err)
		slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(peer), os.O_RDWR|unix.O_NOCTTY, 0)
		b.check(err)
		defer slave.Close()
		cmd.ExtraFiles = []*os.File{slave}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
		r := b.finish(ctx, cmd)
		b.worked()
		return r.out
	}, without("setsid"))
}

// A secret in hull's environment is not the container's: not of its process
// while it waits, nor of its program, nor of what exec runs.
func TestEnvironmentOfTheCallerIsOutOfReach(t *testing.T) {
	const secret = "HULL_SECRET=5f2c"
	replay(t, func(b *bundle) string {
		if b.asked == nil {
			b.vars = []string{secret}
		}
		b.payload("cat /proc/*/environ >/seen; sleep 1000")
		b.must("create", "--bundle", b.dir, b.id)
		waits, err := os.ReadFile("/proc/" + strconv.Itoa(b.pid()) + "/environ")
		b.check(err)
		b.must("start", b.id)
		b.wait("seen")
		text := string(waits) + string(b.read("rootfs/seen")) + b.must("exec", b.id, "/bin/sh", "-c", "cat /proc/*/environ").out
		if strings.Contains(text, secret) {
			return "the secret is in what the container sees"
		}
		return ""
	}, asked("the secret", func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, secret) }))
}

// A process of exec may go below the container's cgroup and nowhere else, such as one whose name begins like it.
func TestExecIsNotPutIntoTheCgroupOfAnother(t *testing.T) {
	b, other := newBundle(t, hull), newBundle(t, hull)
	other.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = "/" + b.id + "0" })
	for _, one := range []*bundle{b, other} {
		one.payload("sleep 1000")
		one.start()
	}
	name := "/" + b.id + "0"
	for _, path := range []string{".." + name, "x/../.." + name, name, "./.." + name, "..", "../", "0/../.."} {
		r := b.runtime("exec", "--cgroup", path, b.id, "/bin/cat", "/proc/self/cgroup")
		if r.code == 0 {
			t.Errorf("%s: %s", path, r)
		}
		b.refused("cgroup")
	}
	other.must("delete", "--force", other.id)
}

// What is asked to be read-only is not written to either to make room for what is mounted below it.
func TestSourceOfAReadOnlyMountIsLeftAlone(t *testing.T) {
	for _, options := range [][]string{{"bind", "ro"}, {"rbind", "rro"}} {
		b := newBundle(t, hull)
		dir := b.canary("canary")
		b.mount("/data", "bind", dir, options...)
		b.mount("/data/missing", "tmpfs", "tmpfs")
		b.mount("/data/file/missing", "tmpfs", "tmpfs")
		b.run()
		b.refused("mounts[")
		if won := b.harm(); won != "" {
			t.Errorf("%v: %s", options, won)
		}
	}
}
