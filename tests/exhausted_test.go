package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The host has no more of something: each command says so once, and leaves nothing.

// smallDisk puts a tmpfs of so many pages under the state root.
func (b *box) smallDisk(pages int) {
	b.t.Helper()
	b.check(os.MkdirAll(b.root, 0o700))
	b.check(unix.Mount("state", b.root, "tmpfs", 0, fmt.Sprintf("mode=700,size=%d", pages*os.Getpagesize())))
}

// freeDisk takes the disk away, and what a test that ended early has left on it.
func (b *box) freeDisk() {
	b.t.Helper()
	b.denied = nil
	b.hull("delete", "--force", b.id)
	b.check(unix.Unmount(b.root, unix.MNT_DETACH))
}

// fill takes what is free of the state's disk but for so many pages.
func (b *box) fill(free int) {
	b.t.Helper()
	b.check(os.RemoveAll(filepath.Join(b.root, "~filler")))
	var st unix.Statfs_t
	b.check(unix.Statfs(b.root, &st))
	if n := int(st.Bavail) - free; n > 0 {
		b.check(os.WriteFile(filepath.Join(b.root, "~filler"), make([]byte, n*os.Getpagesize()), 0o600))
	}
}

func TestFullDiskIsOneError(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	b := newBox(t, runProbe("pause"))
	b.smallDisk(64)
	defer b.freeDisk()
	refused := 0
	for free := 0; ; free++ {
		b.fill(free)
		r := b.hull(createIt(b)...)
		if r.code == 0 {
			b.must("delete", "--force", b.id)
			break
		}
		refused++
		b.wantOneLine(r, fmt.Sprintf("%d pages are free", free), unix.ENOSPC)
		if !strings.HasPrefix(r.stderr, "hull: state") {
			t.Errorf("the message does not say what is full: %s", r)
		}
		entries, err := os.ReadDir(b.root)
		b.check(err)
		if len(entries) > 1 || len(b.processes())+len(b.cgroups()) > 0 || free > 32 {
			t.Fatalf("%d pages are free, and %v is left after %s", free, entries, r)
		}
	}
	if refused < 2 {
		t.Errorf("a disk with %d pages was enough", refused)
	}
}

func TestContainerOnAFullDiskCanBeUsedAndDeleted(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	b := newBox(t, runProbe("pause"))
	b.smallDisk(64)
	defer b.freeDisk()
	l := b.create()
	b.fill(0)
	b.must("start", b.id)
	b.wantStatus("running")
	b.must("exec", b.id, "/bin/probe", "say", "x")
	b.must("kill", b.id, "KILL")
	l.rest()
	b.waitStopped()
	b.must("delete", b.id)
	if entries, err := os.ReadDir(b.root); err != nil || len(entries) != 1 {
		t.Errorf("left are %v %v", entries, err)
	}
}

// onReadOnlyCgroups runs hull where all mounts of cgroups are read-only.
func (b *box) onReadOnlyCgroups() {
	b.wrapper = []string{"unshare", "--mount", "sh", "-ec", `
		for m in $(awk '$3 ~ "^cgroup" { print $2 }' /proc/self/mounts); do mount -o remount,bind,ro "$m"; done; exec "$@"`, "sh"}
}

func TestReadOnlyCgroupsAreOneError(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	if underSystemd {
		t.Skip("systemd writes the cgroups")
	}
	b := newBox(t)
	b.onReadOnlyCgroups()
	for _, r := range []*result{b.run(), b.hull(createIt(b)...)} {
		b.wantOneLine(r, "read-only", unix.EROFS)
		r.expect(b, 1, "cgroup")
		b.wantNothingLeft()
	}
}

func TestReadOnlyCgroupsAreSystemdsToWrite(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	if !underSystemd {
		t.Skip("hull writes the cgroups")
	}
	b := newBox(t, runProbe("say", "ran"))
	b.onReadOnlyCgroups()
	if got := b.mustRun(); got != "ran\n" {
		t.Errorf("it says %q", got)
	}
	b.must(createIt(b)...)
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}

func TestNoMoreUserNamespacesIsOneError(t *testing.T) {
	b := newBox(t, userNamespace(0), func(s *specs.Spec) { s.Linux.UIDMappings[0].Size, s.Linux.GIDMappings[0].Size = 1, 1 })
	b.global = nil // the root of this user namespace has no systemd
	b.edit(func(s *specs.Spec) { s.Linux.CgroupsPath = filepath.Join("/", delegated(), b.id) })
	b.wrapper = []string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", `echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"`, "sh"}
	r := b.run()
	b.wantOneLine(r, "no user namespace", unix.ENOSPC)
	r.expect(b, 1, "linux.namespaces (user)", "max_user_namespaces")
	b.wantNothingLeft()
}

// limited runs hull in a pids cgroup of its own with room for n tasks.
func (b *box) limited(n int) (undo func()) {
	b.t.Helper()
	roots, err := hierarchies()
	b.check(err)
	for _, root := range roots {
		dir := filepath.Join(root, b.id+"-caller")
		if _, err := os.Stat(filepath.Join(root, "pids.max")); err == nil || filepath.Base(root) == "pids" {
			b.check(os.Mkdir(dir, 0o755))
			b.check(os.WriteFile(filepath.Join(dir, "pids.max"), []byte(strconv.Itoa(n)), 0o600))
			b.wrapper = []string{"sh", "-ec", `echo $$ >` + dir + `/cgroup.procs; exec "$@"`, "sh"}
			return func() { b.check(os.Remove(dir)) }
		}
	}
	b.t.Skip("no hierarchy has the controller pids")
	return nil
}

func TestNoMoreProcessesIsOneError(t *testing.T) {
	needFloor(t)
	b := newBox(t, runProbe("pause"))
	told := 0
	for n := 1; ; n++ {
		undo := b.limited(n)
		r := b.hull(createIt(b)...)
		undo()
		b.wrapper = nil
		if r.code == 0 {
			b.must("delete", "--force", b.id)
			break
		}
		switch {
		case strings.Contains(r.stderr, "goroutine ") || strings.Contains(r.stderr, "pthread_create failed"):
			// Go's runtime cannot start a thread, and ends: only a later command can clean up.
			b.hull("delete", "--force", b.id)
		default:
			told++
			b.wantOneLine(r, fmt.Sprintf("%d tasks", n), unix.EAGAIN)
		}
		b.wantNothingLeftAt(fmt.Sprintf("%d tasks", n), r)
		if n > 64 {
			t.Fatalf("64 tasks are not enough: %s", r)
		}
	}
	t.Logf("%d limits were too low to start the container, not hull", told)
}

func TestOneOfManyCreatorsOfAnIDWins(t *testing.T) {
	needFloor(t)
	b := newBox(t, runProbe("pause"))
	for round := range 10 {
		results := make([]*result, 8)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() { results[i] = b.hull(createIt(b)...) })
		}
		all.Wait()
		won := 0
		for _, r := range results {
			if r.code == 0 {
				won++
			} else if want := fmt.Sprintf("hull: container %s: container with given ID already exists\n", b.id); r.stderr != want {
				t.Errorf("want %q: %s", want, r)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d have won", round, won)
		}
		b.wantStatus("created")
		b.clear()
	}
}

// Creators and deleters of one id: whatever the order, nothing is left in the end, and nobody is surprised.
func TestCreatorsAndDeletersOfAnIDLeaveNothing(t *testing.T) {
	needFloor(t)
	b := newBox(t, runProbe("pause"))
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for range 10 {
				args := createIt(b)
				if worker%2 == 0 {
					args = []string{"delete", "--force", b.id}
				}
				if r := b.hull(args...); r.code != 0 && (strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, b.id)) {
					t.Errorf("%s", r)
				}
			}
		})
	}
	all.Wait()
	b.hull("delete", "--force", b.id)
	b.wantNothingLeft()
}
