package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// log is what a run of tests has said: the outcome of each, and of which packages it was.
type log struct {
	outcomes map[string]string // PASS, SKIP or FAIL, by directory and name: "tests.TestX/sub"
	packages map[string]bool
}

// add takes another run on the same side: a test has passed there if it did in one, and failed in none.
func (l log) add(text, module string) {
	more := readLog(text, module)
	maps.Copy(l.packages, more.packages)
	for name, outcome := range more.outcomes {
		if had := l.outcomes[name]; had == "" || outcome == "FAIL" || had == "SKIP" {
			l.outcomes[name] = outcome
		}
	}
}

// event is a line that `go test -json` prints.
type event struct{ Action, Package, Test string }

// readLog reads what `go test -v` prints, or `go test -json`, or the test machine (tests/vm), which
// says "=== PACKAGE" before the tests of one, as package testing does not.
func readLog(text, module string) log {
	l := log{map[string]string{}, map[string]bool{}}
	announced := ""
	pending := map[string]string{} // those of a package that is named after them
	end := func(dir string) {
		l.packages[dir] = true
		for name, outcome := range pending {
			l.outcomes[dir+"."+name] = outcome
		}
		clear(pending)
	}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		var e event
		switch {
		case strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &e) == nil:
			dir := strings.TrimPrefix(e.Package, module+"/")
			if outcome := strings.ToUpper(e.Action); e.Test != "" && (outcome == "PASS" || outcome == "SKIP" || outcome == "FAIL") {
				l.outcomes[dir+"."+e.Test] = outcome
				l.packages[dir] = true
			}
		case len(f) == 3 && f[0] == "===" && f[1] == "PACKAGE": // /hull/tests/tests.test
			if announced != "" {
				end(announced)
			}
			announced = strings.TrimPrefix(filepath.Dir(f[2]), "/"+module+"/")
		case len(f) >= 3 && f[0] == "---" && strings.HasSuffix(f[1], ":"):
			pending[f[2]] = strings.TrimSuffix(f[1], ":")
		case len(f) >= 2 && (f[0] == "ok" || f[0] == "FAIL") && strings.HasPrefix(f[1], module+"/"):
			end(strings.TrimPrefix(f[1], module+"/"))
		}
	}
	if announced != "" {
		end(announced)
	}
	return l
}

// ran tells which of the tests that are named for a side did not pass in a run there. Packages
// that the run has left out, as the test machine does those that no kernel is asked by, are not judged.
func ran(groups []group, side string, l log) []string {
	var problems []string
	for _, g := range groups {
		for _, r := range g.rows {
			for _, ref := range r.tests[side] {
				dir, name := split(ref)
				switch outcome, ok := l.outcomes[dir+"."+name]; {
				case !l.packages[dir] || outcome == "PASS":
				case !ok:
					problems = append(problems, fmt.Sprintf("%s: %s did not run on %s", r.source, ref, side))
				default:
					problems = append(problems, fmt.Sprintf("%s: %s on %s: %s", r.source, ref, side, outcome))
				}
			}
		}
	}
	return problems
}

// checkLogs is ran for arguments such as v1=FILE. A side may have several.
func (t *table) checkLogs(args []string) ([]string, error) {
	logs := map[string]log{}
	for _, arg := range args {
		side, path, ok := strings.Cut(arg, "=")
		if !ok || !slices.Contains(sides, side) {
			return nil, fmt.Errorf("%s: want v1=FILE or v2=FILE", arg)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if len(readLog(string(text), "hull").packages) == 0 {
			return nil, fmt.Errorf("%s: no tests have run: want the output of go test -v", path)
		}
		if _, ok := logs[side]; !ok {
			logs[side] = log{map[string]string{}, map[string]bool{}}
		}
		logs[side].add(string(text), "hull")
	}
	var problems []string
	for _, side := range slices.Sorted(maps.Keys(logs)) {
		problems = append(problems, ran(slices.Concat(t.groups, t.fields), side, logs[side])...)
	}
	return problems, nil
}
