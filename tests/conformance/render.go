package main

import (
	"fmt"
	"slices"
	"strings"
)

// version is the specification's, as its repository calls it.
const version = "v1.3.0"

const intro = `# Conformance

What the OCI runtime specification ` + version + ` demands of a runtime for Linux, statement by statement, in its
order, and the test of hull's that proves each: on cgroup v1 (a host with v1 or hybrid hierarchies) and on cgroup v2.
A statement is one keyword of RFC 2119 in the text; the paraphrases are ours, the text decides.

This page is made by ` + "`make conformance`" + ` from tests/conformance/rows; rows.go there tells their form. Tests fail when a
statement has no row, when a row has neither a test nor a reason, when it names a test that does not exist or is for the
other side, when the specification's text is another one, and when this page is out of date. Whether they have run and passed
there is checked by ` + "`make conformance LOGS=…`" + ` on the output of a run, and at the end of ` + "`make test-vm`" + `.
`

// render makes the page. All that is named has to exist: see prove.
func (t *table) render() string {
	return intro + "\n" + summary(t.groups) + renderStatements(t.spec, t.groups, t.tests) + renderFields(t.fields, t.tests)
}

func renderStatements(spec []section, groups []group, tests suite) string {
	var page strings.Builder
	titles := map[string]*section{}
	for i := range spec {
		titles[spec[i].name()] = &spec[i]
	}
	file := ""
	for _, g := range groups {
		s := titles[g.name]
		if s == nil {
			continue
		}
		if s.file != file {
			file = s.file
			fmt.Fprintf(&page, "\n## %s\n", file)
		}
		fmt.Fprintf(&page, "\n### [%s](https://github.com/opencontainers/runtime-spec/blob/%s/%s)\n\n", s.title, version, g.name)
		page.WriteString("| | | Statement | Proof |\n| --- | --- | --- | --- |\n")
		for i, r := range g.rows {
			fmt.Fprintf(&page, "| %d | %s | %s | %s |\n", i+1, r.keyword, cell(r.text), r.render(tests))
		}
	}
	return page.String()
}

// summary counts.
func summary(groups []group) string {
	var text strings.Builder
	text.WriteString("| | Statements | proven on v1 and v2 | on one of them | do not apply |\n| --- | --- | --- | --- | --- |\n")
	total := [4]int{}
	line := func(name string, n [4]int) {
		fmt.Fprintf(&text, "| %s | %d | %d | %d | %d |\n", name, n[0], n[1], n[2], n[3])
	}
	for _, file := range specFiles {
		n := [4]int{}
		for _, g := range groups {
			if before, _, _ := strings.Cut(g.name, "#"); before != file {
				continue
			}
			for _, r := range g.rows {
				proven := 0
				for _, side := range sides {
					if len(r.tests[side]) > 0 {
						proven++
					}
				}
				n[0]++
				n[3-proven]++
			}
		}
		for i := range total {
			total[i] += n[i]
		}
		line(file, n)
	}
	line("all", total)
	return text.String()
}

// render is the row's last cell.
func (r *row) render(tests suite) string {
	cells := map[string]string{}
	for _, side := range sides {
		var parts []string
		for _, ref := range r.tests[side] {
			test, _ := tests.lookup(ref)
			if test == nil {
				continue
			}
			parts = append(parts, fmt.Sprintf("[%s](../%s)", cell(ref), test.file))
		}
		if why := r.why[side]; why != "" {
			parts = append(parts, "– "+cell(why))
		}
		cells[side] = strings.Join(parts, "<br>")
	}
	if cells[sides[0]] == cells[sides[1]] {
		return cells[sides[0]]
	}
	var parts []string
	for _, side := range sides {
		parts = append(parts, side+": "+cells[side])
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return strings.HasSuffix(p, ": ") }), "<br>")
}

// cell is text for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`).Replace(text)
}
