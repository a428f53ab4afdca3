package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sides are the two kinds of host that each statement is proven on.
var sides = []string{"v1", "v2"}

// row is what the table says of one statement, or of one field.
type row struct {
	source  string // file and line
	keyword string
	text    string
	tests   map[string][]string // by side
	why     map[string]string   // by side: the reason why there is no test
}

// group are the rows of one section.
type group struct {
	source, name, sum string
	rows              []row
}

// readGroups reads the files in rows/ that belong to names, in this order.
//
//	== config.md#configRoot 0a1b2c3d         the section, and the checksum of its text
//	MUST: the root is read-only if asked     a keyword of the section, in the order of the text
//	  tests: TestA TestB/of_it               proof on both sides
//	  v1: TestC                              proof on one side
//	  v2 why: there is no such file          or the reason for its lack
//	  why: binds the author                  the same for both sides
//	# a remark
func readGroups(dir string, names []string) ([]group, error) {
	var all []group
	for _, name := range names {
		name += ".rows"
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		groups, err := parseGroups(name, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, groups...)
	}
	return all, nil
}

func parseGroups(file, text string) ([]group, error) {
	var groups []group
	line := 0
	for l := range strings.Lines(text) {
		line++
		source := fmt.Sprintf("%s:%d", file, line)
		trimmed := strings.TrimSpace(l)
		head, rest, colon := strings.Cut(trimmed, ": ")
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		case strings.HasPrefix(l, "== "):
			f := strings.Fields(trimmed)
			if len(f) == 2 {
				f = append(f, "")
			}
			if len(f) != 3 {
				return nil, fmt.Errorf("%s: want == SECTION CHECKSUM: %s", source, trimmed)
			}
			groups = append(groups, group{source: source, name: f[1], sum: f[2]})
		case len(groups) == 0 || !colon:
			return nil, fmt.Errorf("%s: neither a section nor a row: %s", source, trimmed)
		case !strings.HasPrefix(l, " "):
			g := &groups[len(groups)-1]
			g.rows = append(g.rows, row{source: source, keyword: head, text: rest, tests: map[string][]string{}, why: map[string]string{}})
		default:
			g := groups[len(groups)-1]
			if len(g.rows) == 0 || !g.rows[len(g.rows)-1].add(head, rest) {
				return nil, fmt.Errorf("%s: want tests, why, v1, v2, v1 why or v2 why: %s", source, trimmed)
			}
		}
	}
	return groups, nil
}

// add adds a proof or a reason.
func (r *row) add(key, value string) bool {
	on := sides
	if side, rest, _ := strings.Cut(key, " "); slices.Contains(sides, side) {
		on, key = []string{side}, rest
	}
	for _, side := range on {
		switch key {
		case "tests", "":
			r.tests[side] = append(r.tests[side], strings.Fields(value)...)
		case "why":
			r.why[side] = value
		default:
			return false
		}
	}
	return true
}
