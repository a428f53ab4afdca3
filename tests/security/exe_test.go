package security

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The program that hull runs inside a container.

// A container gets hold of the program of exec while it runs there, and
// writes to it when it no longer does.
func TestCVE_2019_5736_ProgramOfExecIsOverwritten(t *testing.T) {
	replayOn(t, stepped, func(b *bundle) string {
		b.privileged()
		before := b.hash()
		b.payload(`until [ -e /go ]; do sleep 0.01; done
			for p in /proc/[0-9]*; do case $(cat $p/comm) in hull*) exec 9<$p/exe ;; esac; done
			echo >/held; until [ -e /over ]; do sleep 0.01; done
			(echo overwritten >/proc/self/fd/9) 2>/error && echo >/won; echo >/done`)
		b.start()
		goOn := b.stopAt("report that the container is ready", "exec", b.id, "/bin/true")
		b.check(os.WriteFile(b.image("go"), nil, 0o644))
		b.wait("held")
		goOn()
		b.check(os.WriteFile(b.image("over"), nil, 0o644))
		b.wait("done")
		if after := b.hash(); after != before {
			return "hull was " + before + " and is " + after
		}
		if _, err := os.Stat(b.image("won")); err == nil {
			return "the program could be written to"
		}
		if text := string(b.read("rootfs/error")); !strings.Contains(text, "not permitted") {
			b.Errorf("the attack went no further than: %s", text)
		}
		return ""
	}, without("seals"))
}

// hash is what tells hull's binary from a changed one.
func (b *bundle) hash() string {
	b.Helper()
	out, err := exec.Command("sha256sum", b.line(b.T)[0]).Output()
	b.check(err)
	return string(out)
}

// wait waits until the container has made a file.
func (b *bundle) wait(name string) {
	b.Helper()
	script := fmt.Sprintf("until [ -e %s ]; do sleep 0.01; done", b.image(name))
	b.check(exec.Command("timeout", fmt.Sprint(patience.Seconds()), "sh", "-c", script).Run())
}

// The entry point names the program that is being executed.
func TestCVE_2019_5736_EntryPointIsTheRuntimeItself(t *testing.T) {
	b := newBundle(t, hull)
	before := b.hash()
	b.check(os.WriteFile(b.image("bin/entry"), []byte("#!/proc/self/exe\n"), 0o755))
	for _, program := range []string{"/bin/entry", "/proc/self/exe"} {
		b.payload("exec " + program)
		b.run()
		b.edit(func(s *specs.Spec) { s.Process.Args = []string{program} })
		b.run()
	}
	if after := b.hash(); after != before {
		t.Errorf("hull was %s and is %s", before, after)
	}
}

// shared says whether the program of a process has its pages from a file that others run too.
func shared(pid int) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(fmt.Sprintf("/proc/%d/exe", pid), &st); err != nil {
		return "", err
	}
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil || st.Nlink > 0 || !strings.HasPrefix(target, "/memfd:") {
		return target, err
	}
	return "", nil
}

// A read-only file can be changed in memory where the kernel has a hole such as
// CVE-2022-0847: what runs in containers must have pages of its own.
func TestCVE_2026_31431_ProgramHasNoPagesOfTheHosts(t *testing.T) {
	b := newBundle(t, hull)
	b.must("create", "--bundle", b.dir, b.id)
	pid := b.pid()
	if of, err := shared(pid); of != "" || err != nil {
		t.Errorf("the program of the container's process is %s %v", of, err)
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/exe", pid))
	b.check(err)
	defer f.Close()
	seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	b.check(err)
	if want := unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE; seals&want != want {
		t.Errorf("the seals are %#x, want %#x", seals, want)
	}
	if of, err := shared(os.Getpid()); of == "" || err != nil {
		t.Errorf("the test would not notice a program of a file: %v", err)
	}
}
