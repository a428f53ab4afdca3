package security

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/tests/proc"
)

// Images of a checkpoint that somebody else has written, and what criu makes of names.

// needCriu skips the test where criu(8) says that it cannot work with this kernel.
func needCriu(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("/usr/sbin/criu", "check").CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(string(out), "\n")
		t.Skipf("criu check: %v: %s", err, first)
	}
}

// criu is told of external mounts as mnt[KEY]:VALUE: a name may end the key.
func TestCVE_2026_115520_MountPointThatCriuCouldMistake(t *testing.T) {
	for _, name := range []string{"a]", "a]:/etc", "a:b", "a,b", "a\nb", `a\b`} {
		t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
			replay(t, func(b *bundle) string {
				b.mount("/mnt/"+name, "bind", b.canary("canary"), "bind")
				b.payload("sleep 1000")
				b.start()
				b.runtime("checkpoint", "--leave-running", "--image-path", b.path("images"), b.id)
				b.refused("mounts[", "criu cannot tell")
				if strings.Contains(b.last.err, "criu cannot tell") {
					return ""
				}
				return "criu was asked for it: " + b.last.String()
			}, without("names for criu"))
		})
	}
}

// forged saves a container that has more than the bundle which it is restored with.
func forged(more, less func(*specs.Spec), won func(b *bundle) string) attack {
	return func(b *bundle) string {
		b.edit(func(s *specs.Spec) {
			withoutNamespace(s, specs.NetworkNamespace) // criu runs iptables several times to save one
			more(s)
		})
		b.payload("sleep 1000")
		b.start()
		b.must("checkpoint", "--image-path", b.path("images"), b.id)
		b.edit(less)
		r := b.runtime("restore", "--detach", "--image-path", b.path("images"), "--bundle", b.dir, b.id)
		b.refused("the images do not fit the bundle")
		if r.code != 0 {
			return ""
		}
		return won(b)
	}
}

// inside is a line of the restored container's status.
func inside(key string) func(*bundle) string {
	return func(b *bundle) string {
		b.Helper()
		text, err := exec.Command("cat", fmt.Sprintf("/proc/%d/status", b.pid())).Output()
		b.check(err)
		return key + " is " + proc.Field(string(text), key)
	}
}

func TestCVE_2026_92574_ImagesMayMoreThanTheBundle(t *testing.T) {
	needCriu(t)
	replay(t, forged(func(s *specs.Spec) {
		c := s.Process.Capabilities
		c.Bounding = append(c.Bounding, "CAP_SYS_PTRACE")
	}, func(s *specs.Spec) {
		c := s.Process.Capabilities
		c.Bounding = slices.DeleteFunc(c.Bounding, func(name string) bool { return name == "CAP_SYS_PTRACE" })
	}, inside("CapBnd")), without("verify restored"))
}

func TestCVE_2026_95837_ImagesHaveNoFilter(t *testing.T) {
	needCriu(t)
	replay(t, forged(func(s *specs.Spec) { s.Linux.Seccomp = nil }, func(s *specs.Spec) {
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"reboot"}, Action: specs.ActErrno}}}
	}, inside("Seccomp")), without("verify restored"))
}

func TestCVE_2026_53492_ImagesHaveMountsThatTheBundleHasNot(t *testing.T) {
	needCriu(t)
	replay(t, forged(func(s *specs.Spec) {
		s.Mounts = append(s.Mounts, specs.Mount{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs"})
	}, func(s *specs.Spec) {
		s.Mounts = slices.DeleteFunc(s.Mounts, func(m specs.Mount) bool { return m.Destination == "/tmp" })
	}, func(b *bundle) string {
		b.Helper()
		text, err := exec.Command("grep", " /tmp ", fmt.Sprintf("/proc/%d/mountinfo", b.pid())).Output()
		b.check(err)
		return string(text)
	}), without("verify restored"))
}
