package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each engine decides by words in a failure's message; beside a failure stand
// the expressions by which the engines look for it (docs/engines.md).
// The expressions of podman, dockerd, containerd's shim, CRI-O, BuildKit and crutils.
const (
	podmanDenied  = `(?i).*permission denied.*|.*operation not permitted.*`
	podmanMissing = `(?i).*executable file not found in.*|.*no such file or directory.*|.*open executable.*`
	podmanGone    = `does not exist|No such file`
	dockerMissing = `executable file not found|no such file or directory|system cannot find the file specified`
	dockerDenied  = `permission denied|is a directory`
	dockerOther   = `not a directory` // and it adds: are you trying to mount a directory onto a file?
	shimEnded     = `(?i)os: process already finished|container not running|no such process`
	shimGone      = `does not exist`
	crioEnded     = `no such process|container not running|invalid process`
	buildkitEnded = `container not running|container does not exist|no such process`
	crutilsLSM    = `flag needs an argument`
)

func TestEnginesFindTheirWordsInErrors(t *testing.T) {
	needCall(t, "pidfd_open")
	running := running(t)
	stopped := newBox(t, runProbe("say", "x"))
	stopped.start()
	stopped.waitStopped()
	missing, denied := []string{podmanMissing, dockerMissing}, []string{podmanDenied, dockerDenied}
	for name, c := range map[string]struct {
		b     *box
		args  []string
		words []string
	}{
		"program missing":        {running, []string{"exec", running.id, "nothing"}, missing},
		"program by path":        {running, []string{"exec", running.id, "/no/such"}, missing},
		"program not executable": {running, []string{"exec", running.id, "/etc/passwd"}, denied},
		"program a directory":    {running, []string{"exec", running.id, "/etc"}, denied},
		"kill after the end":     {stopped, []string{"kill", stopped.id, "9"}, []string{shimEnded, crioEnded, buildkitEnded}},
		"kill of none":           {running, []string{"kill", "none", "9"}, []string{shimGone, buildkitEnded}},
		"state of none":          {running, []string{"state", "none"}, []string{podmanGone}},
		"delete of none":         {running, []string{"delete", "none"}, []string{shimGone, buildkitEnded}},
		"LSM of a restore":       {running, []string{"restore", "--lsm-mount-context"}, []string{crutilsLSM}},
	} {
		t.Run(name, func(t *testing.T) { c.b.in(t).wantWords(c.words, c.args...) })
	}
}

func TestEnginesFindTheirWordsInErrorsOfCreate(t *testing.T) {
	missing, denied := []string{podmanMissing, dockerMissing}, []string{podmanDenied, dockerDenied}
	for name, c := range map[string]struct {
		change edit
		words  []string
	}{
		"program missing":        {args("nothing"), missing},
		"program by path":        {args("/no/such"), missing},
		"program not executable": {args("/etc/passwd"), denied},
		"program a directory":    {args("/etc"), denied},
		"volume missing":         {mount("/tmp", "bind", "/no/such", "bind"), missing},
		"volume of another kind": {mount("/etc", "bind", "/etc/passwd", "bind"), []string{dockerOther}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, c.change)
			b.wantWords(c.words, "create", "--bundle", b.bundle, b.id)
			b.wantNothingLeft()
		})
	}
}

// wantWords runs a command that has to fail, and looks for expressions in what it
// says to people and in its log, which has to be one object.
func (b *box) wantWords(words []string, args ...string) {
	b.t.Helper()
	log := b.path("log-" + strings.ReplaceAll(strings.Join(args, "-"), "/", "-"))
	r := b.hull(append([]string{"--log-format=json", "--log", log}, args...)...)
	if r.code == 0 {
		b.t.Errorf("%s", r)
	}
	var entry struct{ Level, Msg, Time string }
	if err := json.Unmarshal([]byte(b.read(log)), &entry); err != nil || entry.Level != "error" {
		b.t.Errorf("the log is not one object of an error: %v: %q", err, b.read(log))
	}
	if _, err := time.Parse(time.RFC3339, entry.Time); err != nil {
		b.t.Error(err)
	}
	for _, w := range words {
		for _, text := range []string{r.stderr, entry.Msg} {
			if !regexp.MustCompile(w).MatchString(text) {
				b.t.Errorf("no %q in %q", w, text)
			}
		}
	}
}

// dockerd takes the words before and after `version`, and what follows `commit:`; go-runc
// insists on runc's name, which only callers of a program of that name do.
func TestEnginesUnderstandTheVersion(t *testing.T) {
	b := newBox(t)
	b.binary = b.path("runc")
	b.check(os.Symlink(hullPath, b.binary))
	for _, as := range []string{hullPath, b.binary} {
		b.binary = as
		r := b.must("--version")
		name := regexp.MustCompile(`(?m)^(\S+) version (\S+)$`).FindStringSubmatch(r.stdout)
		if name == nil || name[1] != filepath.Base(as) || !regexp.MustCompile(`(?m)^commit: \S+$`).MatchString(r.stdout) || r.stderr != "" {
			t.Errorf("%s", r)
		}
		if as != hullPath && !strings.HasPrefix(r.stdout, "runc version ") {
			t.Errorf("go-runc does not parse %s", r)
		}
	}
}

// CRI-O reads both streams of features as one; it and containerd ask for these before they use them.
func TestEnginesFindWhatTheyNeedInFeatures(t *testing.T) {
	b := newBox(t)
	r := b.must("features")
	var f struct {
		OCIVersionMin, OCIVersionMax string
		MountOptions                 []string
		Linux                        struct {
			Namespaces      []string
			MountExtensions struct{ IDMap struct{ Enabled *bool } }
		}
	}
	b.check(json.Unmarshal([]byte(r.stdout+r.stderr), &f))
	idmap := f.Linux.MountExtensions.IDMap.Enabled
	if f.OCIVersionMin == "" || f.OCIVersionMax == "" || !slices.Contains(f.MountOptions, "rro") ||
		!slices.Contains(f.Linux.Namespaces, "user") || idmap == nil || !*idmap {
		t.Errorf("%+v", f)
	}
}
