package main

import (
	"fmt"
	"slices"
	"strings"
)

// compare tells where the rows are not those of the specification's sections.
func compare(spec []section, groups []group) []string {
	var problems []string
	byName := map[string]*group{}
	for i := range groups {
		g := &groups[i]
		if byName[g.name] != nil {
			problems = append(problems, g.source+": a second time: "+g.name)
		}
		byName[g.name] = g
	}
	var order []string
	for i := range spec {
		s := &spec[i]
		g := byName[s.name()]
		if g == nil {
			problems = append(problems, fmt.Sprintf("%s:%d: no rows for %s, which has %d statements", s.file, s.statements[0].line, s.name(), len(s.statements)))
			continue
		}
		delete(byName, s.name())
		order = append(order, s.name())
		problems = append(problems, compareSection(s, g)...)
	}
	for _, g := range groups {
		if byName[g.name] != nil {
			problems = append(problems, g.source+": the specification demands nothing there: "+g.name)
		}
	}
	given := slices.DeleteFunc(slices.Collect(names(groups)), func(name string) bool { return !slices.Contains(order, name) })
	if len(problems) == 0 && !slices.Equal(given, order) {
		problems = append(problems, "the sections are not in the specification's order: "+strings.Join(order, " "))
	}
	return problems
}

func names(groups []group) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, g := range groups {
			if !yield(g.name) {
				return
			}
		}
	}
}

// compareSection tells which statement has no row, or which row no statement.
func compareSection(s *section, g *group) []string {
	for i := range max(len(s.statements), len(g.rows)) {
		switch {
		case i >= len(g.rows):
			return []string{fmt.Sprintf("%s:%d: no row for %s in %q", s.file, s.statements[i].line, s.statements[i].keyword, s.statements[i].text)}
		case i >= len(s.statements):
			return []string{fmt.Sprintf("%s: %s has only %d statements", g.rows[i].source, s.name(), len(s.statements))}
		case g.rows[i].keyword != s.statements[i].keyword:
			return []string{fmt.Sprintf("%s: is %s, where %s:%d has %s in %q",
				g.rows[i].source, g.rows[i].keyword, s.file, s.statements[i].line, s.statements[i].keyword, s.statements[i].text)}
		}
	}
	if g.sum != s.sum {
		return []string{fmt.Sprintf("%s: the text of %s is another one; read it, and write %s here", g.source, s.name(), s.sum)}
	}
	return nil
}

// prove tells which rows have no proof and no reason, and which name tests that prove nothing.
func prove(groups []group, tests suite) []string {
	var problems []string
	for _, g := range groups {
		for _, r := range g.rows {
			for _, side := range sides {
				problems = append(problems, r.proof(side, tests)...)
			}
		}
	}
	return slices.Compact(problems)
}

func (r *row) proof(side string, tests suite) []string {
	var problems []string
	refs, why := r.tests[side], r.why[side]
	if len(refs) == 0 && why == "" {
		problems = append(problems, fmt.Sprintf("%s: neither a test nor a reason on %s: %s", r.source, side, r.text))
	}
	if len(refs) > 0 && why != "" {
		problems = append(problems, fmt.Sprintf("%s: both a test and a reason for none on %s: %s", r.source, side, r.text))
	}
	for _, ref := range refs {
		test, sub := tests.lookup(ref)
		switch {
		case test == nil:
			problems = append(problems, fmt.Sprintf("%s: there is no test %s", r.source, ref))
		case !test.has(sub):
			problems = append(problems, fmt.Sprintf("%s: %s in %s:%d has no subtest %s", r.source, ref, test.file, test.line, sub))
		case test.only != "" && test.only != side:
			problems = append(problems, fmt.Sprintf("%s: %s runs on %s alone, and is named for %s", r.source, ref, test.only, side))
		}
	}
	return problems
}
