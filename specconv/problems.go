package specconv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong in a JSON document.
type Problem struct {
	File         string   // name of the document, "" for values from the command line
	Line, Column int      // of the value, counted in bytes from 1; 0 when not known
	Path         string   // JSON path, as in `linux.devices[2].path`; "" is the whole document
	Value        string   // the value, as text; "" when there is none
	Fact         string   // what is wrong
	Known        []string // the values that would be right, when they can be listed
	Hint         string   // what to do

	atKey bool // the position wanted is that of the member's key
}

// String says file:line:column: path (value): fact; known values; hint.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path)
		if p.Value != "" {
			fmt.Fprintf(&b, " (%s)", p.Value)
		}
		b.WriteString(": ")
	}
	b.WriteString(p.Fact)
	if len(p.Known) > 0 {
		b.WriteString("; known values: " + strings.Join(p.Known, ", "))
	}
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems is everything that is wrong in a document.
type Problems []Problem

// Error puts each problem on a line of its own.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds a report: a reader who mends the first hundred will ask again.
const maxProblems = 100

// report is where one check collects what it finds.
type report struct {
	problems Problems
	more     int      // problems found beyond maxProblems
	required []string // paths of REQUIRED numbers that are zero: were they left out?
}

// checker adds to a report what is wrong below one JSON path.
type checker struct {
	prefix string
	*report
}

func newChecker() checker { return checker{report: new(report)} }

// in is the checker for the member key.
func (k checker) in(key string) checker { return checker{join(k.prefix, key), k.report} }

// at is the checker for the element i of the array key.
func (k checker) at(key string, i int) checker {
	return checker{join(k.prefix, key) + "[" + strconv.Itoa(i) + "]", k.report}
}

// item is the checker for the member name of the map key, where name may be anything.
func (k checker) item(key, name string) checker {
	return checker{string(appendKey([]byte(join(k.prefix, key)), name)), k.report}
}

// bad reports that the value at path is wrong. nil is the value of what is not there.
// The result is for adding known values or a hint.
func (k checker) bad(path string, value any, fact string, args ...any) *Problem {
	if len(k.problems) >= maxProblems {
		k.more++
		return new(Problem)
	}
	if len(args) > 0 {
		fact = fmt.Sprintf(fact, args...)
	}
	k.problems = append(k.problems, Problem{Path: join(k.prefix, path), Value: text(value), Fact: fact})
	return &k.problems[len(k.problems)-1]
}

// has is whether a problem at path is reported already.
func (k checker) has(path string) bool {
	return slices.ContainsFunc(k.problems, func(p Problem) bool { return p.Path == path })
}

// need notes that the REQUIRED number at path is zero, which is also what a missing one looks like.
func (k checker) need(path string) { k.required = append(k.required, join(k.prefix, path)) }

// err is what was found, nil if nothing. The positions are not known.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	found := slices.Clip(r.problems)
	if r.more > 0 {
		found = append(found, Problem{Fact: fmt.Sprintf("and %d more problems", r.more)})
	}
	return found
}

// oneOf adds the values that would be right.
func (p *Problem) oneOf(known []string) { p.Known = known }

// hint adds what to do about it.
func (p *Problem) hint(what string) { p.Hint = what }

// onKey makes the key of the member the position of the problem.
func (p *Problem) onKey() *Problem {
	p.atKey = true
	return p
}

// text shows a value in a message: quoted if it is a string, and not too long.
func text(value any) string {
	const most = 80
	s := fmt.Sprint(value)
	switch value.(type) {
	case nil:
		return ""
	case fmt.Stringer, error:
	case int, int32, int64, uint, uint16, uint32, uint64, bool:
	default: // string and the string types of the spec
		if len(s) > most {
			s = s[:most] + "…"
		}
		return strconv.Quote(s)
	}
	return s
}

// join puts a JSON path below another.
func join(prefix, path string) string {
	switch {
	case prefix == "":
		return path
	case path == "":
		return prefix
	case path[0] == '[':
		return prefix + path
	}
	return prefix + "." + path
}
