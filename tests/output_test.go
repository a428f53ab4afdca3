package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOutputThatCannotBeWrittenIsAnError(t *testing.T) {
	b := running(t)
	for _, args := range [][]string{{"state", b.id}, {"list"}, {"ps", b.id}, {"features"}, {"events", "--stats", b.id}, {"--version"}, {"help"}} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		b.check(err)
		defer full.Close()
		cmd := b.command(t.Context(), args...)
		cmd.Stdout = full
		b.finish(t.Context(), cmd).expect(b, 1, "no space left on device")
	}
}

func TestClosedOutputIsAnError(t *testing.T) {
	b := running(t)
	for _, args := range [][]string{{"state", b.id}, {"list"}, {"features"}} {
		cmd := b.command(t.Context(), args...)
		cmd.Args = append([]string{"sh", "-c", `exec "$@" >&-`, "sh", cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
		b.finish(t.Context(), cmd).expect(b, 1, "bad file descriptor")
	}
}

func TestClosedStandardDescriptorsDoNotReachTheContainer(t *testing.T) {
	needCreate(t)
	b := newBox(t, runProbe("report", ",", "say", "ran"))
	cmd := b.command(t.Context(), "create", "--bundle", b.bundle, b.id)
	cmd.Args = append([]string{"sh", "-c", `exec "$@" <&- >&- 2>&-`, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	b.finish(t.Context(), cmd).expect(b, 0)
	dir := fmt.Sprintf("/proc/%d/fd", b.state().Pid)
	for _, fd := range []string{"0", "1", "2"} {
		if target, err := os.Readlink(filepath.Join(dir, fd)); err == nil && target != "/dev/null" {
			t.Errorf("descriptor %s is %s", fd, target)
		}
	}
}

func TestErrorsAreOneJSONLineInTheLog(t *testing.T) {
	b := newBox(t)
	log := b.path("log.json")
	b.global = []string{"--log", log, "--log-format", "json"}
	r := b.hull("state", b.id)
	r.expect(b, 1, "container does not exist")
	var line struct{ Level, Msg, Time string }
	b.check(json.Unmarshal([]byte(b.read(log)), &line)) // one object alone
	if line.Level != "error" || !strings.Contains(line.Msg, "container does not exist") {
		t.Errorf("the log says %s", b.read(log))
	}
	if _, err := time.Parse(time.RFC3339, line.Time); err != nil {
		t.Error(err)
	}
	b.hull("state", b.id)
	if n := strings.Count(b.read(log), "\n"); n != 2 {
		t.Errorf("after two errors there are %d lines", n)
	}
}

func TestNothingIsLoggedWhenAllIsWell(t *testing.T) {
	b := newBox(t, runProbe("say", "x"))
	b.global = []string{"--log", b.path("log.json"), "--log-format", "json"}
	if r := b.run(); r.code != 0 || r.stderr != "" || r.stdout != "x\n" {
		t.Error(r)
	}
	if got := b.read(b.path("log.json")); got != "" {
		t.Errorf("the log says %s", got)
	}
}

func TestTextLogNamesLevelAndMessage(t *testing.T) {
	b := newBox(t)
	b.global = []string{"--log", b.path("log")}
	b.hull("state", b.id)
	if got := b.read(b.path("log")); !strings.Contains(got, "level=error") || !strings.Contains(got, "does not exist") {
		t.Errorf("the log says %s", got)
	}
}
