package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/tests/image"
)

// debian is the root file system of a minimal Debian of the host's release, kept in .cache.
func debian(t *testing.T) string {
	t.Helper()
	needRoot(t, "it unpacks a distribution, devices and all")
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		t.Skipf("%v: install mmdebstrap", err)
	}
	osRelease, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Skip(err)
	}
	_, codename, _ := strings.Cut(string(osRelease), "VERSION_CODENAME=")
	codename, _, _ = strings.Cut(codename, "\n")
	if !strings.Contains(string(osRelease), "\nID=debian\n") || codename == "" {
		t.Skip("this host is not a Debian whose packages could make a root file system")
	}
	dir, err := filepath.Abs(filepath.Join(".cache", codename))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(".cache", 0o755); err != nil {
		t.Fatal(err)
	}
	unfinished := fmt.Sprintf("%s.%d", dir, os.Getpid())
	t.Cleanup(func() { os.RemoveAll(unfinished) })
	args := []string{"--mode=root", "--variant=minbase", "--format=directory", codename, unfinished}
	for _, sources := range []string{"/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"} {
		if _, err := os.Stat(sources); err == nil {
			args = append(args, sources)
			break
		}
	}
	if out, err := exec.Command("mmdebstrap", args...).CombinedOutput(); err != nil {
		t.Skipf("mmdebstrap has no packages to work with here: %v: %.500s", err, out)
	}
	if err := os.Rename(unfinished, dir); err != nil && !errors.Is(err, fs.ErrExist) { // another run was quicker
		t.Fatal(err)
	}
	return dir
}

// debianBox runs a command in a read-only Debian, with more to write to.
func debianBox(t *testing.T, command ...string) *box {
	t.Helper()
	root := debian(t)
	return newBox(t, args(command...), mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777"),
		mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=755"), func(s *specs.Spec) {
			s.Root.Path, s.Root.Readonly = root, true
			s.Process.Env[0] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
			s.Linux.MaskedPaths = []string{"/proc/kcore", "/proc/keys", "/sys/firmware"}
			s.Linux.ReadonlyPaths = []string{"/proc/sys", "/proc/irq", "/proc/bus"}
		})
}

func TestDebianRunsBashAptAndPerl(t *testing.T) {
	for want, command := range map[string][]string{
		"one\ntwo\nthree\n": {"bash", "-c", `set -euo pipefail; for i in one two three; do echo $i; done | cat; diff <(echo x) <(echo x)`},
		"apt ":              {"apt-get", "--version"},
		"42 Linux 1\n":      {"perl", "-e", `my $pid = fork // die; if (!$pid) { exit 7 } waitpid $pid, 0; die if $? >> 8 != 7; print 6 * 7, " ", ucfirst $^O, " ", getppid() == 0 ? 1 : 0, "\n"`},
		"uid=0(root)":       {"id"},
		"ii  bash":          {"dpkg", "--list", "bash"},
	} {
		out := debianBox(t, command...).mustRun()
		if !strings.Contains(out, want) {
			t.Errorf("%v says %q, want %q", command, out, want)
		}
	}
}

func TestDebianIsReadOnlyAndItsTmpIsNot(t *testing.T) {
	out := debianBox(t, "bash", "-c", `touch /etc/x 2>&1; touch /tmp/x && ls /tmp; mount -t tmpfs x /mnt 2>&1; cat /proc/1/comm; true`).mustRun()
	if !strings.Contains(out, "Read-only file system") || !strings.Contains(out, "\nx\n") || !strings.Contains(out, "permission denied") || !strings.HasSuffix(out, "bash\n") {
		t.Errorf("got %q", out)
	}
}

func TestDebianShellOnATerminal(t *testing.T) {
	needCreate(t)
	b := debianBox(t, "bash", "--norc", "-i")
	b.edit(withTerminal(0, 0), process(func(p *specs.Process) { p.Env = append(p.Env, "PS1=> ", "TERM=dumb") }))
	tm, cmd := b.onTerminal("run", "--bundle", b.bundle, b.id)
	tm.enter("sleep 1000 & jobs; kill %1; stty size; exit 4\n")
	if out := tm.drain(); !strings.Contains(out, "Running") || !strings.Contains(out, "24 80\r\n") || strings.Contains(out, "no job control") {
		t.Errorf("the terminal shows %q", out)
	}
	if code := b.exitCode(cmd.Wait()); code != 4 {
		t.Errorf("exit code %d, want 4", code)
	}
}

// unpacked is a bundle that umoci has unpacked from an image that it made of the base.
func unpacked(t *testing.T) *box {
	t.Helper()
	b := newBox(t)
	if _, err := exec.LookPath("umoci"); err != nil {
		t.Skipf("%v: install umoci", err)
	}
	layout, tag := b.path("image"), b.path("image")+":latest"
	umoci := func(args ...string) {
		t.Helper()
		cmd := exec.Command("umoci", args...)
		cmd.Dir = b.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("umoci %v: %v: %s", args, err, out)
		}
	}
	umoci("init", "--layout", layout)
	umoci("new", "--image", tag)
	umoci("unpack", "--image", tag, b.path("unpacked"))
	b.check(os.Remove(b.path("unpacked", "rootfs")))
	b.check(image.Clone(baseRoot, b.path("unpacked", "rootfs")))
	umoci("repack", "--image", tag, b.path("unpacked"))
	umoci("config", "--image", tag, "--config.entrypoint", "/bin/probe", "--config.cmd", "report", "--config.user", "1000:1000",
		"--config.env", "PATH=/bin", "--config.env", "FROM=image", "--config.workingdir", "/srv/work")
	b.check(os.RemoveAll(b.bundle))
	umoci("unpack", "--image", tag, b.bundle)
	return b
}

func TestBundleUnpackedByUmociRuns(t *testing.T) {
	needRoot(t, "it unpacks files of other owners")
	b := unpacked(t)
	var s specs.Spec
	b.check(json.Unmarshal([]byte(b.read(b.bundle+"/config.json")), &s))
	b.configure(&s, process(func(p *specs.Process) { p.Terminal, p.Env = false, append(p.Env, markerName+"="+b.id) }),
		func(s *specs.Spec) { s.Linux.CgroupsPath = cgroupsPath(b.id) })
	r := b.report()
	from, _ := r.env("FROM")
	if got := fmt.Sprintf("%d %d %s %s %d", r.UIDs[0], r.GIDs[0], from, r.Cwd, r.PID); got != "1000 1000 image /srv/work 1" {
		t.Errorf("got %s", got)
	}
	if r.mount("/sys/fs/cgroup") == nil || r.mount("/dev/mqueue") == nil {
		t.Errorf("the mounts are\n%s", r.Files["/proc/self/mountinfo"])
	}
}

func TestImagesFilesKeepTheirAttributes(t *testing.T) {
	needRoot(t, "it unpacks files of other owners")
	b := unpacked(t)
	var files int
	b.check(filepath.WalkDir(b.rootfs, func(_ string, _ fs.DirEntry, err error) error { files++; return err }))
	var s specs.Spec
	b.check(json.Unmarshal([]byte(b.read(b.bundle+"/config.json")), &s))
	b.configure(&s, args("/bin/busybox", "stat", "-c", "%a %U", "/tmp", "/bin/busybox", "/etc/passwd"), user(0, 0),
		process(func(p *specs.Process) { p.Terminal, p.Cwd = false, "/" }), func(s *specs.Spec) { s.Linux.CgroupsPath = cgroupsPath(b.id) })
	if got := b.mustRun(); got != "1777 root\n755 root\n644 root\n" || files < 20 {
		t.Errorf("of %d files: %q", files, got)
	}
}
