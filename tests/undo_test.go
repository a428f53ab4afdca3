package tests

import (
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
	build := exec.Command("go", "build", "-tags", "failpoints,urfave_cli_no_docs,netgo,osusergo",
		"-ldflags", "-linkmode external -extldflags -static", "-o", path, "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build hull with failpoints: %w\n%s", err, out)
	}
	return path, nil
})

// breakable is a box whose hull can be made to fail, with a configuration that makes it do a bit of everything.
func breakable(t *testing.T, edits ...edit) *box {
	t.Helper()
	b := newBox(t)
	path, err := failing()
	b.check(err)
	b.binary = path
	b.check(os.Mkdir(b.path("source"), 0o755))
	b.edit(namespace(specs.CgroupNamespace, ""), bind(b.path("source"), "ro", "rnosuid"),
		mount("/var", "tmpfs", "tmpfs", "tmpcopyup"), mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro"),
		hook("createRuntime", specs.Hook{Path: "/bin/true"}), hook("createContainer", specs.Hook{Path: "/bin/true"}),
		hook("startContainer", specs.Hook{Path: "/bin/true"}), hook("poststart", specs.Hook{Path: "/bin/true"}),
		seccomp(rule(specs.ActErrno, "reboot")), sysctl("net.ipv4.ip_forward", "1"), user(1000, 1000, 7),
		resources(func(r *specs.LinuxResources) {
			r.Pids, r.Memory = &specs.LinuxPids{Limit: ptr(int64(50))}, &specs.LinuxMemory{Limit: ptr(int64(64 << 20))}
		}),
		func(s *specs.Spec) {
			s.Root.Readonly = true
			s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = []string{"/etc/passwd", "/home"}, []string{"/etc"}
			s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/made", Type: "c", Major: 1, Minor: 3}}
			s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_CORE"}}
			s.Process.OOMScoreAdj = ptr(10)
		})
	return b.edit(append([]edit{runProbe("say", "ran")}, edits...)...)
}

// passed lists what the failpoints of a command are: the names of points and the number of operations.
func (b *box) passed(args ...string) (points []string, ops int) {
	b.t.Helper()
	list := b.path("list")
	b.env = []string{"HULL_FAIL_LIST=" + list}
	b.must(args...)
	b.env = nil
	for line := range strings.Lines(b.read(list)) {
		kind, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(what); kind == "ops" && err == nil {
			ops = max(ops, n)
		} else if kind == "point" {
			points = append(points, what)
		}
	}
	b.check(os.Remove(list))
	slices.Sort(points)
	return slices.Compact(points), ops
}

// actions are how a point or an operation is made to fail.
var actions = []string{strconv.Itoa(int(unix.EIO)), "kill"}

func TestFailureOfAnyOperationOfRunLeavesNothing(t *testing.T) {
	b := breakable(t)
	run := []string{"run", "--bundle", b.bundle, b.id}
	_, ops := b.passed(run...)
	if ops < 100 {
		t.Fatalf("the plan has %d operations", ops)
	}
	for _, action := range actions {
		failed := 0
		for n := range ops {
			b.env = []string{fmt.Sprintf("HULL_FAIL_OP=%d:%s", n, action)}
			r := b.hull(run...)
			if left := b.leftovers(); len(left) > 0 {
				t.Fatalf("operation %d, %s: left behind: %v after %s", n, action, left, r)
			}
			switch {
			case r.code == 0 && r.stdout == "ran\n": // an operation that is not always reached
				continue
			case r.code != 1 && action != "kill", r.code == 0, len(r.stderr) < 10, strings.Count(r.stderr, "\n") != 1:
				t.Errorf("operation %d, %s: %s", n, action, r)
			}
			failed++
		}
		if failed < ops/2 {
			t.Errorf("%s: only %d of %d operations failed", action, failed, ops)
		}
		t.Logf("%s: %d of %d operations failed", action, failed, ops)
	}
}

func TestFailureAtAnyPointOfCreateLeavesNothing(t *testing.T) {
	b := breakable(t)
	create := []string{"create", "--bundle", b.bundle, b.id}
	points, _ := b.passed(create...)
	b.must("delete", "--force", b.id)
	if len(points) < 5 {
		t.Fatalf("the points are %v", points)
	}
	for _, point := range points {
		b.env = []string{"HULL_FAIL_POINT=" + point + ":" + actions[0]}
		b.refuse(1, []string{"input/output error"}, create...)
		if left := b.leftovers(); len(left) > 0 {
			t.Errorf("%s: left behind: %v", point, left)
		}
		b.clear()
	}
}

// clear lets hull work as it should and removes what is left of the container.
func (b *box) clear() {
	b.t.Helper()
	b.env = nil
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}

func TestKilledCommandsLeaveWhatDeleteForceRemoves(t *testing.T) {
	b := breakable(t, runProbe("pause"))
	create := []string{"create", "--bundle", b.bundle, b.id}
	verbs := map[string][]string{
		"create": create, "start": {"start", b.id}, "delete": {"delete", "--force", b.id},
		"exec": {"exec", "--detach", b.id, "/bin/probe", "pause"}, "kill": {"kill", b.id, "KILL"}, "update": {"update", "--pids-limit", "9", b.id},
	}
	for verb, args := range verbs {
		prepare := func() {
			if verb != "create" {
				b.must(create...)
			}
			if verb == "exec" || verb == "kill" {
				b.must("start", b.id)
			}
		}
		prepare()
		points, _ := b.passed(args...)
		b.clear()
		for _, point := range points {
			for _, action := range actions {
				prepare()
				b.env = []string{"HULL_FAIL_POINT=" + point + ":" + action}
				if r := b.hull(args...); r.code == 0 {
					t.Errorf("%s did not fail at %s: %s", verb, point, r)
				}
				b.clear()
			}
		}
	}
}

func TestKilledRunLeavesWhatDeleteForceRemoves(t *testing.T) {
	b := breakable(t, runProbe("say", "ran"))
	run := []string{"run", "--bundle", b.bundle, b.id}
	points, _ := b.passed(run...)
	for _, point := range points {
		b.env = []string{"HULL_FAIL_POINT=" + point + ":kill"}
		if r := b.hull(run...); r.code != -int(unix.SIGKILL) {
			t.Errorf("%s: %s", point, r)
		}
		b.clear()
	}
}

func TestFailureOfAnyOperationOfExecLeavesTheContainerAlone(t *testing.T) {
	b := breakable(t, runProbe("pause"))
	b.must("create", "--bundle", b.bundle, b.id)
	b.must("start", b.id)
	exec := []string{"exec", b.id, "/bin/probe", "say", "ran"}
	_, ops := b.passed(exec...)
	for _, action := range actions {
		for n := range ops {
			b.env = []string{fmt.Sprintf("HULL_FAIL_OP=%d:%s", n, action)}
			r := b.hull(exec...)
			if (r.code != 0 || r.stdout != "ran\n") && (r.code != 255 || len(r.stderr) < 10) {
				t.Errorf("operation %d, %s: %s", n, action, r)
			}
			if pids := b.processes(); len(pids) != 1 {
				t.Fatalf("operation %d, %s: the processes are %v", n, action, pids)
			}
		}
	}
	b.env = nil
	b.wantStatus("running")
}

func TestFailureOfAnyOperationOfStartStopsTheContainer(t *testing.T) {
	b := breakable(t)
	_, all := b.passed("run", "--bundle", b.bundle, b.id)
	_, ops := b.passed("create", "--bundle", b.bundle, b.id)
	b.clear()
	for n := range ops {
		if n < all/2 { // those of create itself fail create: see above
			continue
		}
		b.env = []string{fmt.Sprintf("HULL_FAIL_OP=%d:kill", n)}
		if r := b.hull("create", "--bundle", b.bundle, b.id); r.code != 0 {
			b.wantNothingLeft()
			continue
		}
		b.env = nil
		if r := b.hull("start", b.id); r.code != 0 {
			if s := b.state(); s.Status != "stopped" || len(r.stderr) < 10 {
				t.Errorf("operation %d: the status is %s after %s", n, s.Status, r)
			}
		}
		b.clear()
	}
}
