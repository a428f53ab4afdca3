package security

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/tests/proc"
)

// Users, groups and capabilities.

// status is what the container, or exec with flags in it, says of itself.
func (b *bundle) status(flags ...string) string {
	b.Helper()
	if flags == nil {
		b.edit(func(s *specs.Spec) { s.Process.Args = []string{"/bin/cat", "/proc/self/status"} })
		r := b.run()
		b.worked()
		return r.out
	}
	return b.runtime(append(append([]string{"exec"}, flags...), b.id, "/bin/cat", "/proc/self/status")...).out
}

// four are the ids of a line of a status that has one for all.
func four(id int) string { return fmt.Sprintf("%d\t%d\t%d\t%d", id, id, id, id) }

// An image may have a user of a number's name.
func TestCVE_2016_3697_UserNamedLikeANumber(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.check(os.WriteFile(b.image("etc/passwd"), []byte("1000:x:0:0::/:/bin/sh\n"), 0o644))
		b.edit(func(s *specs.Spec) { s.Process.User.UID = 1000 })
		if uid := proc.Field(b.status(), "Uid"); uid != four(1000) {
			return "the container's uids are " + uid
		}
		return ""
	}, without("setresuid"))
}

func TestCVE_2026_30892_ExecAsAUserIsRoot(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.payload("sleep 1000")
		b.start()
		for user, want := range map[string][2]int{"1": {1, 0}, "1:2": {1, 2}, "2147483648:7": {2147483648, 7}, "4294967294": {4294967294, 0}} {
			status := b.status("--user", user)
			if uid, gid := proc.Field(status, "Uid"), proc.Field(status, "Gid"); uid != four(want[0]) || gid != four(want[1]) {
				return fmt.Sprintf("exec --user %s runs as %s, %s", user, uid, gid)
			}
		}
		return ""
	}, without("setresuid"))
}

func TestCVE_2024_40635_UserNumbersThatOverflow(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.payload("sleep 1000")
		b.start()
		return proc.Field(b.status("--user", "4294967296"), "Uid")
	}, without("bits of an id"))
	b := newBundle(t, hull)
	b.payload("sleep 1000")
	b.start()
	for _, user := range []string{"4294967295", "4294967296", "4294967297:0", "0:4294967296", "-1", "+5", " 5", "1:", ":1", "1:2:3", strings.Repeat("1", 1<<16)} {
		r := b.runtime("exec", "--user", user, b.id, "/bin/true")
		if r.code == 0 || !strings.HasPrefix(r.err, "hull: ") {
			t.Errorf("%.20s: %s", user, r)
		}
	}
}

func TestCVE_2016_8867_AmbientCapabilitiesOfAnOrdinaryUser(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.edit(func(s *specs.Spec) {
			s.Process.User.UID, s.Process.NoNewPrivileges = 1000, false
			s.Process.Capabilities.Effective, s.Process.Capabilities.Permitted = nil, s.Process.Capabilities.Bounding
		})
		status := b.status()
		for _, set := range []string{"CapEff", "CapPrm", "CapAmb"} {
			if caps := proc.Field(status, set); caps != "0000000000000000" {
				return set + " is " + caps
			}
		}
		return ""
	}, asked("ambient capabilities", func(s *specs.Spec) {
		c := s.Process.Capabilities
		c.Inheritable, c.Ambient = c.Bounding, c.Bounding
	}))
}

func inheritable(s *specs.Spec) { s.Process.Capabilities.Inheritable = s.Process.Capabilities.Bounding }

// A program with inheritable capabilities of the file gives them to whoever inherits them.
func fileCapabilities(b *bundle) string {
	program, err := os.ReadFile(b.image("bin/busybox"))
	b.check(err)
	b.check(os.WriteFile(b.image("bin/grep"), program, 0o755))
	const version2, effective, kill = 0x02, 0x01, 1 << 5 // vfs_cap_data, capabilities(7)
	raw := make([]byte, 20)
	raw[0], raw[3], raw[8] = effective, version2, kill
	b.check(unix.Setxattr(b.image("bin/grep"), "security.capability", raw, 0))
	b.edit(func(s *specs.Spec) {
		s.Process.User.UID, s.Process.NoNewPrivileges = 1000, false
		s.Process.Args = []string{"/bin/grep", "CapEff", "/proc/self/status"}
	})
	r := b.run()
	b.worked()
	if strings.Contains(r.out, "0000000000000000") {
		return ""
	}
	return r.out
}

func TestCVE_2022_24769_InheritableCapabilitiesOfTheDefault(t *testing.T) {
	replay(t, fileCapabilities, asked("inheritable capabilities", inheritable))
}

func execCaps(b *bundle) string {
	b.edit(func(s *specs.Spec) { s.Process.Capabilities = &specs.LinuxCapabilities{} })
	b.payload("sleep 1000")
	b.start()
	status := b.status("--cap", "CAP_KILL", "--cap", "CAP_AUDIT_WRITE")
	for set, want := range map[string]string{"CapInh": "0000000000000000", "CapAmb": "0000000000000000", "CapEff": "0000000020000020", "CapBnd": "0000000020000020"} {
		if got := proc.Field(status, set); got != want && (b.asked == nil || set == "CapInh") {
			return set + " is " + got
		}
	}
	return ""
}

func TestCVE_2022_29162_ExecGivesInheritableCapabilities(t *testing.T) {
	replay(t, execCaps, asked("inheritable capabilities", func(s *specs.Spec) {
		list := []string{"CAP_KILL", "CAP_AUDIT_WRITE"}
		s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: list, Permitted: list, Inheritable: list, Effective: list}
	}))
}

func TestCVE_2025_27612_ExecGivesMoreThanTheContainerHas(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.edit(func(s *specs.Spec) { s.Process.Capabilities = &specs.LinuxCapabilities{} })
		b.payload("sleep 1000")
		b.start()
		status := b.status("--cwd", "/")
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
			if got := proc.Field(status, set); got != "0000000000000000" {
				return set + " is " + got
			}
		}
		return ""
	}, without("limit the bounding set", "capset"))
}

// The caller's groups must not stay: a file may be denied to a group.
func TestCVE_2022_36109_GroupsOfTheCaller(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.wrap = []string{"setpriv", "--groups", "7,8"}
		if groups := proc.Field(b.status(), "Groups"); groups != "" {
			return "the container's groups are " + groups
		}
		return ""
	}, without("set the supplementary groups"))
}
