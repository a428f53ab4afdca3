package main

import (
	"fmt"
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

// readLog reads what `go test -v` prints, or the test machine (tests/vm), which says
// "=== PACKAGE" before the tests of one, as package testing does not.
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
		switch {
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

// checkLogs is ran for arguments such as v1=FILE.
func (t *table) checkLogs(args []string) ([]string, error) {
	var problems []string
	for _, arg := range args {
		side, path, ok := strings.Cut(arg, "=")
		if !ok || side != sides[0] && side != sides[1] {
			return nil, fmt.Errorf("%s: want v1=FILE or v2=FILE", arg)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		l := readLog(string(text), "hull")
		if len(l.packages) == 0 {
			return nil, fmt.Errorf("%s: no tests have run: want the output of go test -v", path)
		}
		problems = append(problems, ran(slices.Concat(t.groups, t.fields), side, l)...)
	}
	return problems, nil
}
