package torture

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
)

// What a container holds of the kernel's. Whatever keeps one of these longer
// than it should, keeps one more for each container.

// objects are caches of the kernel's that hold one object, or several, for
// each container: slabinfo(5). The rest of what it makes is freed with these.
var objects = []string{"net_namespace", "pid_namespace", "uts_namespace", "mnt_cache", "task_struct", "pid", "filp", "sock_inode_cache", "shmem_inode_cache"}

// memory are lines of /proc/meminfo, in KiB, that nothing but the kernel's own objects makes grow.
var memory = []string{"SUnreclaim", "KernelStack", "PageTables", "Percpu"}

// stock is what may come and go on a host that is in use, and per how many of
// the containers there may be one more: nothing that leaks is so little.
const (
	stock  = 100
	stockK = 4096 // KiB
	among  = 4
)

// many is from how many containers on the host's counts say something: a few are
// lost in what others do meanwhile, such as the tests of another package.
const many = 1000

// bound is how much more of something there may be after so many containers; what begins
// with "own" nobody but the test changes.
func bound(what string, cycles int) int {
	switch {
	case strings.HasPrefix(what, "own "):
		return 0
	case cycles < many:
		return math.MaxInt
	case strings.HasSuffix(what, "(KiB)"):
		return stockK + cycles
	}
	return stock + cycles/among
}

// wantNoLeak asserts that there is no more of anything than before, as soon as
// the kernel has done what it does later: namespaces and cgroups are freed by its workers.
func (l *load) wantNoLeak(before map[string]int) {
	l.t.Helper()
	after := l.host()
	leaks := func() (list []string) {
		for what, n := range before {
			if more := after[what] - n; more > bound(what, *cycles) || more < 0 && bound(what, *cycles) == 0 {
				list = append(list, fmt.Sprintf("%s: %d before and %d after %d containers", what, n, after[what], *cycles))
			}
		}
		return list
	}
	for deadline := time.Now().Add(time.Minute); len(leaks()) > 0 && time.Now().Before(deadline); after = l.host() {
		time.Sleep(time.Second)
	}
	for _, text := range leaks() {
		l.t.Error(text)
	}
	for what, n := range before {
		l.t.Logf("%-28s %8d before, %8d after", what, n, after[what])
	}
}

// calm is host, when the kernel has freed what the last containers have left to it.
func (l *load) calm() map[string]int {
	l.t.Helper()
	counts := l.host()
	for range 20 {
		time.Sleep(time.Second)
		next, fell := l.host(), false
		for what, n := range next {
			late := strings.HasSuffix(what, "_namespace") || strings.HasSuffix(what, " cgroups")
			fell = fell || late && n < counts[what]
		}
		if counts = next; !fell {
			break
		}
	}
	return counts
}

// host counts what could leak.
func (l *load) host() map[string]int {
	l.t.Helper()
	counts := l.own()
	infos, err := mountinfo.GetMounts(nil)
	l.check(err)
	counts["mounts"] = len(infos)
	load := strings.Fields(l.text("/proc/loadavg"))
	_, threads, _ := strings.Cut(load[3], "/")
	counts["threads"] = l.number(threads)
	counts["open files"] = l.number(strings.Fields(l.text("/proc/sys/fs/file-nr"))[0])
	for _, name := range objects {
		_ = os.WriteFile("/sys/kernel/slab/"+name+"/shrink", []byte("1"), 0) // so that what is free is not counted
	}
	l.lines("/proc/slabinfo", objects, 1, "", counts)
	l.lines("/proc/meminfo", memory, 1, " (KiB)", counts)
	// With those that are removed, and held by something: cgroups(7)
	controllers := []string{"cpuset", "cpu", "cpuacct", "blkio", "memory", "devices", "freezer", "pids"}
	l.lines("/proc/cgroups", controllers, 2, " cgroups", counts)
	return counts
}

// own counts what only the test makes.
func (l *load) own() map[string]int {
	l.t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	l.check(err)
	counts := map[string]int{"own descriptors": len(fds), "own mounts": len(l.mounts()), "own sockets": strings.Count(l.sockets(), l.dir)}
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
	return counts
}

// lines takes a field of the lines of a table that begin with one of names.
func (l *load) lines(file string, names []string, field int, unit string, counts map[string]int) {
	l.t.Helper()
	for line := range strings.Lines(l.text(file)) {
		fields := strings.Fields(line)
		for _, name := range names {
			if len(fields) > field && strings.TrimSuffix(fields[0], ":") == name {
				counts[name+unit] = l.number(fields[field])
			}
		}
	}
}

// text is a file of the kernel's, which not every kernel has.
func (l *load) text(file string) string {
	l.t.Helper()
	text, err := os.ReadFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		l.check(err)
	}
	return string(text)
}

func (l *load) number(text string) int {
	l.t.Helper()
	n, err := strconv.Atoi(text)
	l.check(err)
	return n
}
