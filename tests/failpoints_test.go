package tests

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// failing builds hull with internal/fail's points, once. HULL_FAILPOINTS names one that is there already.
var failing = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("HULL_FAILPOINTS"); path != "" {
		return path, nil
	}
	path := filepath.Join(work, "hull-failpoints")
	build := exec.Command("make", "--silent", "-C", "..", "hull", "TAGS=failpoints", "OUTPUT="+path)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build hull with failpoints: %w\n%s", err, out)
	}
	return path, nil
})

// breakable is a box whose hull can be made to fail, with a configuration that
// makes it do a bit of everything.
func breakable(t *testing.T, edits ...edit) *box {
	t.Helper()
	b := newBox(t)
	path, err := failing()
	b.check(err)
	b.binary = path
	b.check(os.Mkdir(b.path("source"), 0o755))
	b.listen("console")
	b.edit(namespace(specs.CgroupNamespace, ""), bind(b.path("source"), "ro", "rnosuid"),
		mount("/var", "tmpfs", "tmpfs", "tmpcopyup"), mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro"),
		hook("createRuntime", specs.Hook{Path: "/bin/true"}), hook("createContainer", specs.Hook{Path: "/bin/true"}),
		hook("startContainer", specs.Hook{Path: "/bin/true"}), hook("poststart", specs.Hook{Path: "/bin/true"}),
		hook("poststop", specs.Hook{Path: "/bin/true"}), seccomp(rule(specs.ActErrno, "reboot")), sysctl("net.ipv4.ip_forward", "1"), user(1000, 1000, 7),
		resources(func(r *specs.LinuxResources) {
			r.Pids, r.Memory = &specs.LinuxPids{Limit: ptr(int64(50))}, &specs.LinuxMemory{Limit: ptr(int64(64 << 20))}
		}),
		func(s *specs.Spec) {
			s.Root.Readonly = true
			s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = []string{"/etc/passwd", "/home"}, []string{"/etc"}
			if !byUser { // who makes none
				s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/made", Type: "c", Major: 1, Minor: 3}}
			}
			s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_CORE"}}
			s.Process.OOMScoreAdj = ptr(10)
		})
	return b.edit(append([]edit{runProbe("say", "ran")}, edits...)...)
}

// failpoint is a place where a command can be made to fail.
type failpoint struct {
	id     string
	name   string
	always bool // the command does not end well without it
}

// plan is the number of the plan that an operation is of: the first is the container's own, others are of hooks.
func (p failpoint) plan() string {
	number, _, _ := strings.Cut(p.id, ".")
	return number
}

// place is how messages call an operation.
func (p failpoint) place() string { return fmt.Sprintf("operation %s (%s)", p.id, p.name) }

// failpoints lists what a command passes on its way to a good end: points of
// hull itself, and operations of the plans that it starts.
func (b *box) failpoints(args ...string) (points, ops []failpoint) {
	b.t.Helper()
	list := b.path("list")
	b.mustWith("HULL_FAIL_LIST="+list, args...)
	for line := range strings.Lines(b.read(list)) {
		kind, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(what, "cgroup.freezing#") {
			continue // how often the freezer is asked depends on the kernel's haste
		}
		if kind == "point" {
			points = append(points, failpoint{what, what, true})
			continue
		}
		id, what, _ := strings.Cut(what, " ")
		when, name, _ := strings.Cut(what, " ")
		ops = append(ops, failpoint{id, name, when == "always"})
	}
	b.check(os.Remove(list))
	return points, ops
}

// mustWith is must with a variable in hull's environment.
func (b *box) mustWith(variable string, args ...string) {
	b.t.Helper()
	if r := b.hullWith(variable, args...); r.code != 0 {
		b.t.Fatalf("%s", r)
	}
}

// hullWith runs a command with a variable in hull's environment.
func (b *box) hullWith(variable string, args ...string) *result {
	b.t.Helper()
	b.env = []string{variable}
	defer func() { b.env = nil }()
	return b.hull(args...)
}

// errnos are what the kernel may say at any time.
var errnos = []unix.Errno{unix.EIO, unix.ENOSPC, unix.ENOMEM}

// whole is set by make torture: every point with every error, where the ordinary tests take turns.
var whole = os.Getenv("HULL_TORTURE") != ""

// actions make the i-th failpoint fail with one of errnos, or with each.
func actions(i int) map[string]unix.Errno {
	list := map[string]unix.Errno{}
	for n, errno := range errnos {
		if whole || n == i%len(errnos) {
			list[strconv.Itoa(int(errno))] = errno
		}
	}
	return list
}

// wantOneLine asserts that the command has failed with one line that ends with errno.
func (b *box) wantOneLine(r *result, place string, errno unix.Errno) {
	b.t.Helper()
	if r.code <= 0 || !strings.HasPrefix(r.stderr, "hull: ") || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, errno.Error()) {
		b.t.Errorf("%s: want one line that says %q: %s", place, errno, r)
	}
}

// wantNothingLeftAt is wantNothingLeft which tidies up, for tests that go on.
func (b *box) wantNothingLeftAt(place string, r *result) {
	b.t.Helper()
	if left := b.leftovers(); len(left) > 0 {
		b.t.Errorf("%s: left behind: %s after %s", place, strings.Join(left, ", "), r)
		b.reset()
	}
}

// reset removes what hull has not.
func (b *box) reset() {
	b.t.Helper()
	b.hull("delete", "--force", b.id)
	b.sweep()
	b.check(os.RemoveAll(b.root))
}

// twoAtATime runs f for each of list, with boxes of two workers. Another container is none the worse for it.
func twoAtATime[T any](t *testing.T, list []T, f func(b *box, i int, one T), edits ...edit) {
	t.Helper()
	stillThere := bystander(t)
	defer stillThere()
	t.Run("workers", func(t *testing.T) {
		for worker := range 2 {
			t.Run(strconv.Itoa(worker), func(t *testing.T) {
				t.Parallel()
				b := breakable(t, edits...)
				for n, i := range sample(len(list)) {
					if n%2 == worker && !t.Failed() {
						f(b, i, list[i])
					}
				}
			})
		}
	})
}

// oneOfEachKind keeps the first few of those whose names begin with the same word.
func oneOfEachKind(list []failpoint, few int) []failpoint {
	seen := map[string]int{}
	return slices.DeleteFunc(slices.Clone(list), func(p failpoint) bool {
		if whole {
			return false
		}
		word, _, _ := strings.Cut(p.name, " ")
		seen[word]++
		return seen[word] > few
	})
}

// indexOf is where the first of list is that is called name.
func indexOf(t *testing.T, list []failpoint, name string) int {
	t.Helper()
	i := slices.IndexFunc(list, func(p failpoint) bool { return p.name == name })
	if i < 0 {
		t.Fatalf("nothing is called %q", name)
	}
	return i
}

// stopped starts a command that stops itself at point, and returns when it has.
func (b *box) stopped(point string, args ...string) *live {
	b.t.Helper()
	b.env = []string{"HULL_FAIL_POINT=" + point + ":stop"}
	defer func() { b.env = nil }()
	l := b.live(args...)
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(l.cmd.Process.Pid, &status, unix.WUNTRACED, nil)
		if !errors.Is(err, unix.EINTR) {
			b.check(err)
			break
		}
	}
	if !status.Stopped() {
		b.t.Fatalf("%s: did not come to the point %s: %v %s", strings.Join(args, " "), point, status, b.read(l.errs.Name()))
	}
	return l
}
