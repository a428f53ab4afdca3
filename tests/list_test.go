package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestListShowsAllContainers(t *testing.T) {
	needCall(t, "pidfd_open")
	needCall(t, "pidfd_send_signal")
	b := running(t)
	other := newBox(t, runProbe("pause"))
	other.root = b.root
	other.create()
	table := b.must("list").stdout
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if fields := strings.Fields(lines[0]); strings.Join(fields, " ") != "ID PID STATUS BUNDLE CREATED OWNER" || len(lines) != 3 {
		t.Errorf("the table is\n%s", table)
	}
	if row := strings.Fields(lines[1]); row[0] != b.id || row[1] != fmt.Sprint(b.state().Pid) || row[2] != "running" || row[3] != b.bundle || row[5] != ownName {
		t.Errorf("the row is %v", row)
	}
	var list []state
	b.check(json.Unmarshal([]byte(b.must("list", "--format", "json").stdout), &list))
	if len(list) != 2 || list[1].ID != other.id || list[1].Status != "created" || list[1].Bundle != other.bundle {
		t.Errorf("the list is %+v", list)
	}
	if got := b.must("list", "-q").stdout; got != b.id+"\n"+other.id+"\n" {
		t.Errorf("the ids are %q", got)
	}
	other.must("delete", "--force", other.id)
	other.root = other.path("root")
}

func TestListOfNothingIsEmpty(t *testing.T) {
	b := newBox(t)
	if got := b.must("list", "-f", "json").stdout; strings.TrimSpace(got) != "[]" && strings.TrimSpace(got) != "null" {
		t.Errorf("got %q", got)
	}
	if got := b.must("list", "-q").stdout; got != "" {
		t.Errorf("got %q", got)
	}
}

func TestListSurvivesABrokenEntry(t *testing.T) {
	b := running(t)
	b.check(os.MkdirAll(filepath.Join(b.root, "broken"), 0o700))
	b.check(os.WriteFile(filepath.Join(b.root, "broken", "state.json"), []byte("{"), 0o600))
	r := b.must("list", "-f", "json")
	if !strings.Contains(r.stdout, b.id) || !strings.Contains(r.stderr, "broken") {
		t.Error(r)
	}
	b.must("delete", "--force", "broken")
	if _, err := os.Stat(filepath.Join(b.root, "broken")); err == nil {
		t.Error("delete --force left the broken entry")
	}
}

func TestPsListsTheProcesses(t *testing.T) {
	b := newBox(t, runProbe("fork", "2", ",", "pause"))
	b.start().want("forked 2")
	var pids []int
	b.check(json.Unmarshal([]byte(b.must("ps", "--format", "json", b.id).stdout), &pids))
	if len(pids) != 3 || !slices.Contains(pids, b.state().Pid) {
		t.Errorf("the pids are %v", pids)
	}
	table := b.must("ps", b.id).stdout
	if !strings.HasPrefix(table, "UID") || strings.Count(table, "\n") != 4 || strings.Count(table, "/bin/probe fork 2") != 3 {
		t.Errorf("the table is\n%s", table)
	}
	table = b.must("ps", b.id, "-o", "pid,args").stdout
	if !strings.Contains(strings.Split(table, "\n")[0], "PID COMMAND") || strings.Count(table, "/bin/probe fork 2") != 3 {
		t.Errorf("the table is\n%s", table)
	}
}
