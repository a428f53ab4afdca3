package torture

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

var (
	cycles  = flag.Int("cycles", 24, "make and remove so many containers under load")
	abreast = flag.Int("abreast", 8, "so many at a time")
)

// What an onlooker may be told of a container that comes and goes.
var explained = []string{
	"does not exist", "container not running", "process already finished", "cannot exec in a stopped", "being created", "not running or created",
	"no such file or directory", "no such device", // its cgroup has just gone
}

// load is one run under load.
type load struct {
	*world
	mu     sync.Mutex
	told   map[string]int // what onlookers were told, and how often
	failed []string
}

func TestManyContainersAtATimeLeaveNothing(t *testing.T) {
	if os.Geteuid() != 0 || *control {
		t.Skip("needs root: this makes containers; and hull, whose messages it knows")
	}
	l := &load{world: newWorld(t), told: map[string]int{}}
	l.containers() // makes the bundles
	before := l.host()
	var left, done atomic.Int64
	left.Store(int64(*cycles))
	stop := make(chan struct{})
	var workers, onlookers sync.WaitGroup
	for n := range *abreast {
		workers.Go(func() {
			for left.Add(-1) >= 0 && l.cycle(n, int(done.Add(1))) {
			}
		})
	}
	for n := range 4 {
		onlookers.Go(func() { l.look(n, stop) })
	}
	begin := time.Now()
	workers.Wait()
	took := time.Since(begin)
	close(stop)
	onlookers.Wait()
	t.Logf("%d containers, %d at a time, %s", *cycles, *abreast, took.Round(time.Millisecond))
	for _, text := range l.failed {
		t.Error(text)
	}
	for what, n := range l.told {
		t.Logf("%6d %s", n, what)
	}
	if rest := l.settled(); len(rest) > 0 {
		t.Errorf("left: %v", rest)
	}
	after := l.host()
	for what, n := range before {
		t.Logf("%-24s %8d before, %8d after", what, n, after[what])
		if strings.HasPrefix(what, "own ") && after[what] != n {
			t.Errorf("%s: %d before and %d after", what, n, after[what])
		}
	}
}

func loadID(n int) string { return fmt.Sprintf("%s-load-%d", id, n) }

// containers makes a bundle for each worker.
func (l *load) containers() {
	l.t.Helper()
	for n := range *abreast {
		s := spec(loadID(n))
		s.Root.Path = filepath.Join(l.dir, "bundle/rootfs")
		config, err := json.Marshal(s)
		l.check(err)
		l.check(os.Mkdir(filepath.Join(l.dir, loadID(n)), 0o755))
		l.check(os.WriteFile(filepath.Join(l.dir, loadID(n), "config.json"), config, 0o600))
	}
}

// cycle is the life of one container.
func (l *load) cycle(n, number int) bool {
	id := loadID(n)
	life := [][]string{
		{"create", "--bundle", id, id}, {"start", id}, {"exec", id, "/bin/sleep", "0"}, {"kill", id, "KILL"}, {"delete", "--force", id},
	}
	if number%3 == 0 {
		life = slices.Insert(life, 3, []string{"pause", id}, []string{"resume", id}, []string{"update", "--pids-limit", "60", id})
	}
	for _, args := range life {
		if text, err := l.do(args); err != nil {
			l.mu.Lock()
			l.failed = append(l.failed, fmt.Sprintf("container %d: %s: %v: %s", number, strings.Join(args, " "), err, text))
			l.mu.Unlock()
			_, _ = l.do([]string{"delete", "--force", id})
			return false
		}
	}
	return true
}

// do runs a command and returns what it wrote to standard error.
func (l *load) do(args []string) (string, error) {
	f, err := os.CreateTemp(l.dir, "err")
	if err != nil {
		return "", err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	cmd := l.command(args...)
	cmd.Stderr = f
	err = cmd.Run()
	text, _ := os.ReadFile(f.Name())
	return string(text), err
}

// look asks for containers that come and go, until stop.
func (l *load) look(n int, stop chan struct{}) {
	for i := n; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		id := loadID(i / 5 % *abreast)
		args := [][]string{{"list"}, {"state", id}, {"ps", id}, {"events", "--stats", id}, {"kill", id, "CONT"}}[i%5]
		text, err := l.do(args)
		if err == nil {
			continue
		}
		what := args[0] + ": " + strings.TrimSpace(strings.ReplaceAll(text, id, "ID"))
		known := slices.ContainsFunc(explained, func(words string) bool { return strings.Contains(text, words) })
		l.mu.Lock()
		l.told[what]++
		if !known || args[0] == "list" || strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "hull: ") {
			l.failed = append(l.failed, fmt.Sprintf("%s: %v: %s", strings.Join(args, " "), err, text))
		}
		l.mu.Unlock()
	}
}

// host counts what could leak. What begins with "own" nobody but the test changes.
func (l *load) host() map[string]int {
	l.t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	l.check(err)
	infos, err := mountinfo.GetMounts(nil)
	l.check(err)
	counts := map[string]int{"own descriptors": len(fds), "own mounts": len(l.mounts()), "mounts": len(infos), "own sockets": strings.Count(l.sockets(), l.dir)}
	cgroups, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	l.check(err)
	for _, m := range cgroups {
		found, err := filepath.Glob(filepath.Join(m.Mountpoint, id+"*"))
		l.check(err)
		counts["own cgroups"] += len(found)
	}
	entries, err := os.ReadDir(filepath.Join(l.dir, "root"))
	l.check(err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "~") {
			counts["own containers"]++
		}
	}
	var threads, running int
	text, err := os.ReadFile("/proc/loadavg")
	l.check(err)
	_, _ = fmt.Sscanf(strings.Fields(string(text))[3], "%d/%d", &running, &threads)
	counts["threads"] = threads
	var info unix.Sysinfo_t
	l.check(unix.Sysinfo(&info))
	for file, what := range map[string]string{"/proc/sys/fs/file-nr": "open files"} {
		text, err := os.ReadFile(file)
		l.check(err)
		_, _ = fmt.Sscan(string(text), &running)
		counts[what] = running
	}
	for _, name := range []string{"Slab", "Percpu", "AnonPages"} {
		out, err := exec.Command("awk", "$1 == \""+name+":\" { print $2 }", "/proc/meminfo").Output()
		l.check(err)
		_, _ = fmt.Sscan(string(out), &running)
		counts[name+" (KiB)"] = running
	}
	return counts
}
