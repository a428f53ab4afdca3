package tests

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	account "os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// byUser says that an ordinary user runs the tests. Each container then has a
// user namespace, in which this user is root and the ranges of subuid(5) and
// subgid(5) are the ids from 1 on, and a cgroup below what is delegated to it.
var byUser = os.Geteuid() != 0

// ownName is this user's name.
var ownName = func() string {
	own, err := account.Current()
	if err != nil {
		return ""
	}
	return own.Username
}()

// needRoot skips the test that has to do on the host, or to ask of hull, what
// the kernel lets root alone do.
func needRoot(t testing.TB, why string) {
	t.Helper()
	if byUser {
		t.Skip("needs root: " + why)
	}
}

// needNumbers skips a test that runs hull in a pid namespace of its own.
func needNumbers(t testing.TB) {
	t.Helper()
	if underSystemd {
		t.Skip("systemd is told of processes by their numbers, which differ in a pid namespace")
	}
}

// rootless edits the default configuration for an ordinary user.
func rootless(s *specs.Spec) {
	if !byUser {
		return
	}
	namespace(specs.UserNamespace, "")(s)
	s.Linux.UIDMappings = append([]specs.LinuxIDMapping{{HostID: uint32(os.Geteuid()), Size: 1}}, ranges("/etc/subuid")...)
	s.Linux.GIDMappings = append([]specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}}, ranges("/etc/subgid")...)
}

// ranges maps this user's ids in subuid(5) or subgid(5) from 1 on.
func ranges(file string) []specs.LinuxIDMapping {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	var list []specs.LinuxIDMapping
	next := uint32(1)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, numbers, _ := strings.Cut(lines.Text(), ":")
		m := specs.LinuxIDMapping{ContainerID: next}
		if n, _ := fmt.Sscanf(numbers, "%d:%d", &m.HostID, &m.Size); n == 2 && (name == ownName || name == fmt.Sprint(os.Geteuid())) {
			list = append(list, m)
			next += m.Size
		}
	}
	return list
}

// delegated is the cgroup v2 below which this user may make others: the parent
// of the one that the tests run in, since a cgroup with processes can give no
// controllers to its children, cgroups(7). It is "" if there is none, and for root.
var delegated = sync.OnceValue(func() string {
	if !byUser {
		return ""
	}
	text, err := os.ReadFile("/proc/self/cgroup")
	_, own, ok := strings.Cut("\n"+string(text), "\n0::")
	if own, _, _ = strings.Cut(own, "\n"); err != nil || !ok || !onV2() {
		return ""
	}
	parent := filepath.Dir(own)
	if unix.Access(filepath.Join("/sys/fs/cgroup", parent, "cgroup.procs"), unix.W_OK) != nil {
		return ""
	}
	return parent
})

// remove removes a directory, in which there may be files of the ids that a
// user has in containers only.
func remove(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil || !byUser {
		return err
	}
	if out, err := exec.Command("unshare", "--user", "--map-root-user", "--map-auto", "rm", "-rf", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
