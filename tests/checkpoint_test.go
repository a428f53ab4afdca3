package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// needCriu skips the test where criu(8) says that it cannot work with this kernel.
func needCriu(t *testing.T) {
	t.Helper()
	needRoot(t, "criu(8) does")
	out, err := exec.Command("/usr/sbin/criu", "check").CombinedOutput()
	if err == nil {
		return
	}
	first, _, _ := strings.Cut(string(out), "\n")
	t.Skipf("criu check: %v: %s", err, first)
}

// saved is a box whose program has read a line and waits for another. It is
// saved to images, and gone.
func saved(t *testing.T, edits ...edit) (b *box, images string) {
	t.Helper()
	needCriu(t)
	b = newBox(t, append([]edit{
		shell("read x; echo got $x; echo kept >/tmp/file; read y; echo $x and $y; cat /tmp/file; exit 7"),
		mount("/tmp", "tmpfs", "tmpfs"),
		withoutNamespace(specs.NetworkNamespace), // criu runs iptables several times to save one
	}, edits...)...)
	l := b.start()
	l.say("first")
	l.want("got first")
	pid := b.state().Pid
	images = b.path("images")
	b.must("checkpoint", "--image-path", images, "--work-path", b.path("work"), b.id)
	b.ended(pid)
	b.refuse(1, []string{"does not exist"}, "state", b.id)
	return b, images
}

// say writes a line to the standard input.
func (l *live) say(text string) {
	l.b.t.Helper()
	_, err := l.stdin.WriteString(text + "\n")
	l.b.check(err)
}

func TestRestoreGoesOnWhereCheckpointStopped(t *testing.T) {
	b, images := saved(t)
	l := b.live("restore", "--image-path", images, "--work-path", b.path("work"), "--bundle", b.bundle, b.id)
	l.say("second")
	l.want("first and second", "kept")
	if r := l.wait(); r.code != 7 {
		t.Errorf("restore: %s", r)
	}
	b.wantNothingLeft()
}

func TestARestoredContainerIsAsItsBundleSays(t *testing.T) {
	volume := t.TempDir()
	b, images := saved(t, bind(volume), namespace(specs.NetworkNamespace, ""), func(s *specs.Spec) { s.Process.NoNewPrivileges = true })
	if r := b.live("restore", "--detach", "--image-path", images, "--bundle", b.bundle, "--pid-file", b.path("pid"), b.id).wait(); r.code != 0 {
		t.Fatal(r)
	}
	b.wantStatus("running")
	pid := b.state().Pid
	if got := b.read(b.path("pid")); got != strconv.Itoa(pid) {
		t.Errorf("the pid file says %s, state says %d", got, pid)
	}
	if cgroup := b.read(fmt.Sprintf("/proc/%d/cgroup", pid)); !strings.Contains(cgroup, b.id) {
		t.Errorf("the restored process is in %q", cgroup)
	}
	out := b.must("exec", b.id, "/bin/sh", "-c", "cat /proc/1/status; echo from exec >/mnt/f").stdout
	if !strings.Contains(out, "NoNewPrivs:\t1\n") {
		t.Errorf("no_new_privs is lost:\n%s", out)
	}
	if got := b.read(filepath.Join(volume, "f")); got != "from exec\n" {
		t.Errorf("the volume has %q", got)
	}
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}

func TestCheckpointCanLeaveItRunning(t *testing.T) {
	needCriu(t)
	b := newBox(t, withoutNamespace(specs.NetworkNamespace), shell("echo ready; read x; echo $x"))
	l := b.start()
	l.want("ready")
	pid := b.state().Pid
	b.must("checkpoint", "--leave-running", "--image-path", b.path("images"), b.id)
	b.wantStatus("running")
	if s := b.state(); s.Pid != pid {
		t.Errorf("the pid was %d and is %d", pid, s.Pid)
	}
	l.say("go on")
	l.want("go on")
}

func TestRestoreRefusesImagesThatMayMore(t *testing.T) {
	b, images := saved(t, func(s *specs.Spec) {
		c := s.Process.Capabilities
		for _, set := range []*[]string{&c.Bounding, &c.Permitted, &c.Effective} {
			*set = append(*set, "CAP_SYS_PTRACE")
		}
	})
	less := func(s *specs.Spec) {
		c := s.Process.Capabilities
		for _, set := range []*[]string{&c.Bounding, &c.Permitted, &c.Effective} {
			*set = slices.DeleteFunc(*set, func(name string) bool { return name == "CAP_SYS_PTRACE" })
		}
	}
	b.edit(less)
	b.refuse(1, []string{"process.capabilities.bounding", "0x80000"}, "restore", "--detach", "--image-path", images, "--bundle", b.bundle, b.id)
	b.wantNothingLeft()
}

func TestRestoreRefusesMountsThatTheBundleDoesNotHave(t *testing.T) {
	b, images := saved(t)
	b.edit(func(s *specs.Spec) {
		s.Mounts = slices.DeleteFunc(s.Mounts, func(m specs.Mount) bool { return m.Destination == "/tmp" })
	})
	b.refuse(1, []string{"mounts: there is a tmpfs at /tmp"}, "restore", "--detach", "--image-path", images, "--bundle", b.bundle, b.id)
	b.wantNothingLeft()
}

func TestARestoreThatIsKilledLeavesNothing(t *testing.T) {
	b, images := saved(t)
	b.edit(func(s *specs.Spec) {
		s.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", "kill -9 $PPID"}}}}
	})
	if r := b.hull("restore", "--detach", "--image-path", images, "--bundle", b.bundle, b.id); r.code != -int(unix.SIGKILL) {
		t.Fatalf("the hook did not kill it: %s", r)
	}
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}

func TestCheckpointRefusesWhatIsNotRunning(t *testing.T) {
	needRoot(t, "criu(8) does")
	b := newBox(t, runProbe("pause"))
	b.create()
	pid := b.state().Pid
	b.refuse(1, []string{"cannot be checkpointed in created state"}, "checkpoint", b.id)
	b.must("kill", b.id, "KILL")
	b.ended(pid)
	b.refuse(1, []string{"cannot be checkpointed in stopped state", "container not running"}, "checkpoint", b.id)
	if _, err := os.Stat(b.path("checkpoint")); err == nil {
		t.Error("the directory of the images was made")
	}
}

// criu writes external mounts as mnt[KEY]:VALUE: CVE-2026-115520, CVE-2026-119101.
func TestCheckpointRefusesMountPointsThatCriuCouldMistake(t *testing.T) {
	needRoot(t, "criu(8) does")
	for _, name := range []string{"a]", "a]:b", "a:b", "a,b", "a\nb", `a\b`} {
		b := newBox(t, runProbe("say", "ready", ",", "pause"), mount("/mnt/"+name, "bind", t.TempDir(), "bind"))
		b.start().want("ready")
		b.refuse(1, []string{"mounts[", "criu cannot tell"}, "checkpoint", "--image-path", b.path("images"), b.id)
		b.wantStatus("running")
	}
}

func TestRestoreRefusesADirectoryWithoutImages(t *testing.T) {
	needRoot(t, "criu(8) does")
	b := newBox(t, runProbe("pause"))
	b.refuse(1, []string{"--image-path", "no such file"}, "restore", "--bundle", b.bundle, "--image-path", b.path("none"), b.id)
	b.refuse(1, []string{"descriptors.json", "not the images of a container"}, "restore", "--bundle", b.bundle, "--image-path", b.dir, b.id)
	b.file("descriptors.json", "[1")
	b.refuse(1, []string{"descriptors.json"}, "restore", "--bundle", b.bundle, "--image-path", b.dir, b.id)
	b.refuse(1, []string{"--manage-cgroups-mode", "soft"}, "restore", "--bundle", b.bundle, "--image-path", b.dir, "--manage-cgroups-mode", "none-such", b.id)
	b.wantNothingLeft()
}
