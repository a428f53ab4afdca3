package torture

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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
	if *cycles >= many {
		l.live(4**abreast, false) // what the kernel keeps in stock is there
		before = l.calm()
	}
	begin := time.Now()
	l.live(*cycles, true)
	t.Logf("%d containers, %d at a time, %s", *cycles, *abreast, time.Since(begin).Round(time.Millisecond))
	for _, text := range l.failed {
		t.Error(text)
	}
	for what, n := range l.told {
		t.Logf("%6d %s", n, what)
	}
	if rest := l.settled(); len(rest) > 0 {
		t.Errorf("left: %v", rest)
	}
	l.wantNoLeak(before)
}

// live makes and removes so many containers, with onlookers or without.
func (l *load) live(cycles int, watched bool) {
	l.t.Helper()
	var left, done atomic.Int64
	left.Store(int64(cycles))
	stop := make(chan struct{})
	var workers, onlookers sync.WaitGroup
	for n := range *abreast {
		workers.Go(func() {
			for left.Add(-1) >= 0 && l.cycle(n, int(done.Add(1))) {
			}
		})
	}
	for n := range 4 {
		if watched {
			onlookers.Go(func() { l.look(n, stop) })
		}
	}
	workers.Wait()
	close(stop)
	onlookers.Wait()
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
