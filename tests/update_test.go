package tests

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestUpdateChangesEachLimit(t *testing.T) {
	b := running(t, resources(func(r *specs.LinuxResources) {
		r.Memory = &specs.LinuxMemory{Limit: new(int64(32 << 20)), Swap: new(int64(64 << 20))}
	}))
	for _, c := range []struct{ flags, file, want, file2, want2 string }{
		{"--memory 48M", "memory.limit_in_bytes", "50331648", "memory.max", "50331648"},
		{"--memory 16777216 --memory-swap 33554432", "memory.memsw.limit_in_bytes", "33554432", "memory.swap.max", "16777216"},
		{"--memory 100M --memory-swap 200M", "memory.limit_in_bytes", "104857600", "memory.swap.max", "104857600"},
		{"--memory -1", "memory.limit_in_bytes", "9223372036854771712", "memory.swap.max", "max"},
		{"--memory-reservation 8m", "memory.soft_limit_in_bytes", "8388608", "memory.low", "8388608"},
		{"--cpu-share 300", "cpu.shares", "300", "cpu.weight", "39"},
		{"--cpu-period 50000 --cpu-quota 20000", "cpu.cfs_quota_us", "20000", "cpu.max", "20000 50000"},
		{"--cpu-period 40000", "cpu.cfs_period_us", "40000", "cpu.max", "20000 40000"},
		{"--cpu-quota 30000", "cpu.cfs_quota_us", "30000", "cpu.max", "30000 40000"},
		{"--cpu-burst 100", "cpu.cfs_burst_us", "100", "cpu.max.burst", "100"},
		{"--cpu-idle 1", "cpu.idle", "1", "cpu.idle", "1"},
		{"--cpuset-cpus 0", "cpuset.cpus", "0", "cpuset.cpus", "0"},
		{"--cpuset-mems 0", "cpuset.mems", "0", "cpuset.mems", "0"},
		{"--pids-limit 77", "pids.max", "77", "pids.max", "77"},
		{"--pids-limit -1", "pids.max", "max", "pids.max", "max"},
	} {
		b.must(append(append([]string{"update"}, strings.Fields(c.flags)...), b.id)...)
		b.wantFileOf(c.file, c.want, c.file2, c.want2)
	}
}

func TestUpdateTakesAFileOrStdin(t *testing.T) {
	b := running(t)
	data, err := json.Marshal(specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(44))}, CPU: &specs.LinuxCPU{Shares: new(uint64(333))}})
	b.check(err)
	b.must("update", "--resources", b.file("resources.json", string(data)), b.id)
	b.wantFile("pids.max", "44")
	b.wantFileOf("cpu.shares", "333", "cpu.weight", "42")
	cmd := b.command(t.Context(), "update", "--resources", "-", b.id)
	cmd.Stdin = strings.NewReader(strings.Replace(string(data), "44", "45", 1))
	if r := b.finish(t.Context(), cmd); r.code != 0 {
		t.Fatal(r)
	}
	b.wantFile("pids.max", "45")
}

func TestUpdateKeepsTheDeviceRules(t *testing.T) {
	needRoot(t, "only the kernel's own root makes devices")
	b := running(t, privileged, resources(func(r *specs.LinuxResources) { r.Devices = []specs.LinuxDeviceCgroup{{Type: "a", Access: "rwm"}} }))
	b.must("update", "--pids-limit", "50", b.id)
	if got := b.must("exec", b.id, "/bin/probe", "mknod", "/tmp/x", "b", "240", "1", ",", "open", "/tmp/x", "r").stdout; got != "mknod /tmp/x b 240 1: ok\nopen /tmp/x r: EPERM\n" {
		t.Errorf("got %q", got)
	}
}

func TestUpdateNamesWhatItCannotSet(t *testing.T) {
	b := running(t)
	b.must("update", "--pids-limit", "50", b.id)
	b.refuse(1, []string{"cpuset", "4000"}, "update", "--cpuset-cpus", "4000", b.id)
	b.refuse(1, []string{"memory", "12x"}, "update", "--memory", "12x", b.id)
	b.refuse(1, []string{"pids.limit", "nonsense"}, "update", "--resources", b.file("bad.json", `{"pids":{"limit":"nonsense"}}`), b.id)
	b.refuse(1, []string{"does not exist"}, "update", "--pids-limit", "5", b.id+"x")
	b.wantFile("pids.max", "50")
}

func TestUpdateWorksOnACreatedContainer(t *testing.T) {
	b := newBox(t, runProbe("fork", "3"))
	l := b.create()
	b.must("update", "--pids-limit", "2", b.id)
	b.must("start", b.id)
	l.want("forked 1")
}

func TestPauseStopsAndResumeContinues(t *testing.T) {
	b := newBox(t, runProbe("trap", "10", ",", "say", "ready", ",", "pause"))
	l := b.start()
	l.want("ready")
	pid := b.state().Pid
	b.must("pause", b.id)
	b.wantStatus("paused")
	b.wantFileOf("freezer.state", "FROZEN", "cgroup.freeze", "1")
	b.must("kill", b.id, "USR1")
	b.must("resume", b.id)
	b.wantStatus("running")
	l.want("signal 10")
	if got := b.state().Pid; got != pid {
		t.Errorf("the pid was %d and is %d", pid, got)
	}
}

func TestPauseAndResumeRefuseTheWrongState(t *testing.T) {
	b := running(t)
	b.refuse(1, []string{"not paused"}, "resume", b.id)
	b.must("pause", b.id)
	b.refuse(1, []string{"paused"}, "pause", b.id)
	b.must("resume", b.id)
	b.must("kill", b.id, "KILL")
	b.waitStopped()
	b.refuse(1, []string{"stopped"}, "pause", b.id)
	b.refuse(1, []string{"stopped"}, "resume", b.id)
}

func TestPausedContainerCanBeKilled(t *testing.T) {
	b := running(t)
	pid := b.state().Pid
	b.must("pause", b.id)
	b.must("kill", b.id, "KILL")
	b.ended(pid)
	b.wantStatus("stopped")
	b.must("delete", b.id)
	b.wantNothingLeft()
}

func TestEventsStatsAreInTheKnownShape(t *testing.T) {
	b := running(t, resources(func(r *specs.LinuxResources) { r.Pids = &specs.LinuxPids{Limit: new(int64(20))} }))
	var e struct {
		Type string `json:"type"`
		ID   string `json:"id"`
		Data struct {
			CPU    struct{ Usage struct{ Total uint64 } }
			Memory struct {
				Usage struct{ Limit, Usage, Max uint64 }
				Raw   map[string]uint64
			}
			Pids    struct{ Current, Limit uint64 }
			Blkio   map[string]any
			Hugetlb map[string]any
		} `json:"data"`
	}
	out := b.must("events", "--stats", b.id).stdout
	b.check(json.Unmarshal([]byte(out), &e))
	if e.Type != "stats" || e.ID != b.id || e.Data.Pids.Current != 1 || e.Data.Pids.Limit != 20 {
		t.Errorf("the event is %s", out)
	}
	if e.Data.CPU.Usage.Total == 0 || e.Data.Memory.Usage.Usage == 0 || len(e.Data.Memory.Raw) == 0 || e.Data.Blkio == nil {
		t.Errorf("the event is %s", out)
	}
}

func TestEventsComeAgainUntilTheContainerEnds(t *testing.T) {
	b := running(t)
	l := b.live("events", "--interval", "10ms", b.id)
	for range 3 {
		if line := l.line(); !strings.HasPrefix(line, `{"type":"stats","id":"`+b.id) {
			t.Fatalf("got %q", line)
		}
	}
	b.must("kill", b.id, "KILL")
	if r := l.wait(); r.code != 0 {
		t.Error(r)
	}
}

// The cgroup may be gone when its counters are to be read once more: here events
// sleeps while that happens, and does next what it chooses.
func TestEventsEndWithADeletedContainer(t *testing.T) {
	for range 5 {
		b := running(t)
		l := b.live("events", "--interval", "1ms", b.id)
		l.line()
		b.check(l.cmd.Process.Signal(unix.SIGSTOP))
		b.must("delete", "--force", b.id)
		b.check(l.cmd.Process.Signal(unix.SIGCONT))
		if r := l.wait(); r.code != 0 {
			t.Error(r)
		}
	}
}

func TestEventsTellOfOOM(t *testing.T) {
	b := newBox(t, resources(func(r *specs.LinuxResources) {
		r.Memory = &specs.LinuxMemory{Limit: new(int64(8 << 20)), Swap: new(int64(8 << 20))}
	}), shell(fmt.Sprintf("echo ready; read go; /bin/probe alloc %d; sleep 1000", 64<<20))) // whose cgroup outlives what is killed
	c := b.start()
	c.want("ready")
	l := b.live("events", "--interval", "10ms", b.id)
	l.line() // the first stats: the events are being watched
	c.stdin.Close()
	for line := l.line(); !strings.Contains(line, `"type":"oom"`); line = l.line() {
	}
}
