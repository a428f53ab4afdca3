package tests

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// Each engine decides by words in a failure's message; beside a failure stand
// the expressions by which the engines look for it (docs/engines.md).
func TestEnginesFindTheirWordsInErrors(t *testing.T) {
	needCall(t, "pidfd_open")
	const (
		podmanDenied  = `(?i)permission denied|operation not permitted`
		podmanMissing = `(?i)executable file not found in|no such file or directory|open executable`
		dockerMissing = `executable file not found|no such file or directory|system cannot find the file specified`
		dockerDenied  = `permission denied|is a directory`
		shimEnded     = `(?i)os: process already finished|container not running|no such process`
		crioEnded     = `no such process|container not running|invalid process`
		shimGone      = `does not exist`
		podmanGone    = `does not exist|No such file`
	)
	running := running(t)
	stopped := newBox(t, runProbe("say", "x"))
	stopped.start()
	stopped.waitStopped()
	for name, c := range map[string]struct {
		b     *box
		args  []string
		words []string
	}{
		"program missing":        {running, []string{"exec", running.id, "nothing"}, []string{podmanMissing, dockerMissing}},
		"program by path":        {running, []string{"exec", running.id, "/no/such"}, []string{podmanMissing, dockerMissing}},
		"program not executable": {running, []string{"exec", running.id, "/etc/passwd"}, []string{podmanDenied, dockerDenied}},
		"kill after the end":     {stopped, []string{"kill", stopped.id, "9"}, []string{shimEnded, crioEnded}},
		"kill of none":           {running, []string{"kill", "none", "9"}, []string{shimGone}},
		"state of none":          {running, []string{"state", "none"}, []string{podmanGone}},
		"delete of none":         {running, []string{"delete", "none"}, []string{shimGone}},
	} {
		t.Run(name, func(t *testing.T) {
			log := c.b.path("log-" + strings.ReplaceAll(name, " ", "-"))
			r := c.b.hull(append([]string{"--log", log, "--log-format", "json"}, c.args...)...)
			var entry struct{ Level, Msg, Time string }
			if err := json.Unmarshal([]byte(c.b.read(log)), &entry); err != nil || entry.Level != "error" || entry.Time == "" {
				t.Errorf("the log is not one object of an error: %v: %q", err, c.b.read(log))
			}
			if r.code == 0 {
				t.Errorf("%s", r)
			}
			for _, w := range c.words {
				for _, text := range []string{r.stderr, entry.Msg} {
					if !regexp.MustCompile(w).MatchString(text) {
						t.Errorf("no %q in %q", w, text)
					}
				}
			}
		})
	}
}

// The calls of go-runc, conmon and CRI-O, as they were seen.
func TestEnginesCallsAreUnderstood(t *testing.T) {
	b := running(t)
	b.must("--log", b.path("log.json"), "--log-format", "json", "state", b.id)
	if out := b.must("ps", "--format", "json", b.id).stdout; !regexp.MustCompile(`^\[\d+(,\d+)*\]\n?$`).MatchString(strings.ReplaceAll(out, " ", "")) {
		t.Errorf("ps prints %q", out)
	}
	if r := b.hull("--version"); !regexp.MustCompile(`(?m)^\S+ version .+\n(.*\n)*?commit: .+`).MatchString(r.stdout) {
		t.Errorf("%s", r)
	}
	if r := b.hull("features"); r.stderr != "" || !json.Valid([]byte(r.stdout)) {
		t.Errorf("CRI-O reads both streams of features as one: %s", r)
	}
	b.must("pause", b.id)
	b.must("resume", b.id)
	b.must("kill", "--all", b.id, "9")
	b.waitStopped()
	b.must("delete", b.id)
	if r := b.must("delete", "--force", b.id); r.stdout+r.stderr != "" {
		t.Errorf("the second delete says %s", r)
	}
}
