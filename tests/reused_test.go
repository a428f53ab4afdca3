package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hull/tests/proc"
)

// The number of a container's process may be another's by now: after its end, or after a boot.

// victim is a process of the test's own, and when it was started: proc_pid_stat(5), field 22.
func victim(b *box) (cmd *exec.Cmd, start string) {
	b.t.Helper()
	cmd = exec.Command("sleep", "1000")
	b.check(cmd.Start())
	b.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	stat := b.read(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
	_, after, _ := strings.Cut(stat, ") ")
	return cmd, strings.Fields(after)[22-3]
}

// forge changes the record of the container's process.
func (b *box) forge(pid int, start, boot string) {
	b.t.Helper()
	file := filepath.Join(b.root, b.id, "state.json")
	var rec map[string]json.RawMessage
	b.check(json.Unmarshal([]byte(b.read(file)), &rec))
	var init map[string]json.RawMessage
	b.check(json.Unmarshal(rec["init"], &init))
	init["pid"] = json.RawMessage(strconv.Itoa(pid))
	init["startTime"] = json.RawMessage(start)
	if boot != "" {
		rec["bootId"] = json.RawMessage(strconv.Quote(boot))
	}
	var err error
	rec["init"], err = json.Marshal(init)
	b.check(err)
	text, err := json.Marshal(rec)
	b.check(err)
	b.check(os.WriteFile(file, text, 0o600))
}

// ended is a container whose process has been killed.
func ended(t *testing.T) *box {
	t.Helper()
	b := newBox(t, runProbe("pause"))
	b.start()
	pid := b.state().Pid
	b.must("kill", b.id, "KILL")
	b.ended(pid)
	return b
}

func TestAnotherProcessWithTheSamePidIsLeftAlone(t *testing.T) {
	for name, forge := range map[string]func(b *box, pid int, start string){
		"after its end": func(b *box, pid int, start string) {
			tick, err := strconv.Atoi(start)
			b.check(err)
			b.forge(pid, strconv.Itoa(tick-1), "")
		},
		"after a boot": func(b *box, pid int, start string) { b.forge(pid, start, "00000000-0000-0000-0000-000000000000") },
	} {
		t.Run(name, func(t *testing.T) {
			b := ended(t)
			cmd, start := victim(b)
			forge(b, cmd.Process.Pid, start)
			b.wantStatus("stopped")
			b.refuse(1, []string{"not running"}, "kill", b.id, "KILL")
			b.refuse(255, []string{"stopped"}, "exec", b.id, "/bin/true")
			b.hull("kill", "--all", b.id, "TERM")
			b.hull("ps", b.id)
			b.hull("pause", b.id)
			b.must("delete", "--force", b.id)
			if proc.Ended(cmd.Process.Pid) {
				t.Error("the other process was killed")
			}
		})
	}
}

// The control of the test above: what is on record is believed when all of it fits.
func TestProcessOnRecordIsTheOneThatIsKilled(t *testing.T) {
	b := ended(t)
	cmd, start := victim(b)
	b.forge(cmd.Process.Pid, start, "")
	b.must("kill", b.id, "KILL")
	if err := cmd.Wait(); err == nil {
		t.Error("it was not killed")
	}
}
