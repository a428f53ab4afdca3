package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hull runs a command line on a state root of its own.
func hull(t *testing.T, args ...string) (string, error) {
	t.Helper()
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var out bytes.Buffer
	err := Run(append([]string{"hull", "--root", filepath.Join(t.TempDir(), "root")}, args...), &out, time.Now)
	return out.String(), err
}

func TestMisuseIsOneMessageWithAHint(t *testing.T) {
	for line, want := range map[string]string{
		"frob":                     "unknown command \"frob\" (see `hull help`)",
		"--frob state a":           "flag provided but not defined: -frob (see `hull help`)",
		"state --frob a":           "state: flag provided but not defined: -frob (see `hull state --help`)",
		"state a --frob":           "state: flag provided but not defined: -frob (see `hull state --help`)",
		"state":                    "state: the container's id is missing (see `hull state --help`)",
		"state a b":                "state: unexpected argument \"b\" (see `hull state --help`)",
		"create --bundle":          "create: flag needs an argument: -bundle (see `hull create --help`)",
		"kill":                     "kill: the container's id is missing (see `hull kill --help`)",
		"kill a TERM 9":            "kill: unexpected argument \"9\" (see `hull kill --help`)",
		"kill a BOGUS":             "unknown signal \"BOGUS\": a name of signal(7), such as TERM, or a number",
		"exec a":                   "exec: the command to run is missing (see `hull exec --help`)",
		"exec":                     "exec: the container's id is missing (see `hull exec --help`)",
		"list a":                   "list: unexpected argument \"a\" (see `hull list --help`)",
		"list --format xml":        "list: --format \"xml\": must be table or json (see `hull list --help`)",
		"ps -f xml a":              "ps: --format \"xml\": must be table or json (see `hull ps --help`)",
		"update a":                 "update: nothing to change: give --resources or a limit (see `hull update --help`)",
		"update --memory 1x a":     "update: --memory: \"1x\" is no amount of memory such as 64m, and not -1 (see `hull update --help`)",
		"events --interval 0s a":   "events: --interval 0s: must be at least a millisecond (see `hull events --help`)",
		"run --preserve-fds -1 a":  "run: --preserve-fds -1: must not be negative (see `hull run --help`)",
		"--log-format xml state a": "--log-format \"xml\": must be text or json",
		"--log-level all state a":  "--log-level \"all\": must be debug, info, warning or error",
		"--rootless maybe state a": "--rootless \"maybe\": must be true, false or auto",
		"--log /nowhere/l state a": "--log: open /nowhere/l: no such file or directory",
	} {
		out, err := hull(t, strings.Fields(line)...)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
		if out != "" {
			t.Errorf("%s: printed %q", line, out)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	for i, c := range newApp([]string{"hull"}, nil).Commands {
		if c.Name != commands[i].name {
			t.Errorf("the command %s is called %s in the table", c.Name, commands[i].name)
		}
		out, err := hull(t, c.Name, "--help")
		if err != nil || !strings.Contains(out, c.Usage) {
			t.Errorf("%s --help: %v, %s", c.Name, err, out)
		}
	}
	for _, line := range []string{"", "help", "--help"} {
		out, err := hull(t, strings.Fields(line)...)
		if err != nil || !strings.Contains(out, "COMMANDS:") {
			t.Errorf("hull %s: %v, %s", line, err, out)
		}
	}
}

func TestAContainerMayBeCalledHelp(t *testing.T) {
	_, err := hull(t, "state", "help")
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Error(err)
	}
}

func TestUnknownContainerDoesNotExist(t *testing.T) {
	for _, line := range []string{
		"state a", "kill a", "kill a KILL --all", "delete a", "start a", "pause a", "resume a",
		"ps a", "ps --format json a", "update --memory 1m a", "update --l3-cache-schema L3:0=f a", "events --stats a",
	} {
		_, err := hull(t, strings.Fields(line)...)
		if err == nil || !strings.Contains(err.Error(), "container does not exist") {
			t.Errorf("%s: %v", line, err)
		}
		if _, ok := errors.AsType[*Exit](err); ok {
			t.Errorf("%s: has an exit code of its own", line)
		}
	}
	if _, err := hull(t, "delete", "--force", "a"); err != nil {
		t.Error(err)
	}
}

func TestExecThatCannotStartExitsWith255(t *testing.T) {
	_, err := hull(t, "exec", "a", "ls")
	exit, ok := errors.AsType[*Exit](err)
	if !ok || exit.Code != 255 || !strings.Contains(err.Error(), "container does not exist") {
		t.Error(err)
	}
}

func TestEmptyListIsNoNull(t *testing.T) {
	for line, want := range map[string]string{
		"list":            "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n",
		"list -f json":    "[]\n",
		"list --quiet":    "",
		"list -q -f=json": "",
	} {
		out, err := hull(t, strings.Fields(line)...)
		if err != nil || out != want {
			t.Errorf("%s: %v, %q, want %q", line, err, out, want)
		}
	}
}

func TestStateRootComesFromTheFlag(t *testing.T) {
	for dir, want := range map[string]string{
		"":  "--root: the directory's name is empty",
		"/": "/ cannot be the state root",
	} {
		err := Run([]string{"hull", "--root", dir, "list"}, &bytes.Buffer{}, time.Now)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--root %q: %v, want %s", dir, err, want)
		}
	}
}

func TestFailureIsOneJSONObjectInTheLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log.json")
	if _, err := hull(t, "--log", file, "--log-format", "json", "list"); err != nil {
		t.Fatal(err)
	}
	slog.Warn("not for engines")
	slog.Error("container does not exist: \"a\"") // as main does
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var entry struct {
		Level, Msg string
		Time       time.Time
	}
	if err := json.Unmarshal(text, &entry); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if entry.Level != "error" || entry.Msg != "container does not exist: \"a\"" || entry.Time.IsZero() {
		t.Errorf("%s", text)
	}
}

func TestLogIsAppendedTo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	for range 2 {
		if _, err := hull(t, "--log", file, "--debug", "list"); err != nil {
			t.Fatal(err)
		}
		slog.Debug("some", "key", "value")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "level=debug msg=some key=value\n"); n != 2 {
		t.Errorf("%d lines, want 2: %s", n, text)
	}
}

func TestTerminalIsToldOfWarningsOnly(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(terminalLog{&out, slog.LevelWarn})
	log.Debug("a")
	log.Info("b")
	log.Warn("c", "n", 1)
	log.Error("d") // main prints that
	if out.String() != "hull: warning: c n=1\n" {
		t.Errorf("%q", out.String())
	}
}

func TestExitCodeIsTheProcesssOrTellsItsSignal(t *testing.T) {
	for status, want := range map[unix.WaitStatus]int{0: 0, 42 << 8: 42, 255 << 8: 255, 9: 137, 15 | 0x80: 143} {
		code := 0
		err := ended(status)
		if exit, ok := errors.AsType[*Exit](err); ok {
			code = exit.Code
		}
		if code != want || err != nil && err.Error() != "" {
			t.Errorf("%#x: %d, %v, want %d", status, code, err, want)
		}
	}
}
