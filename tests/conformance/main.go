// Command conformance makes docs/conformance.md from the rows beside it.
//
// With -skeleton it prints the rows that are missing, with the
// specification's lines for the paraphrases that somebody has to write. With
// v1=FILE or v2=FILE, the output of go test -v on such a host or several of them, it
// checks that the tests which are named for it have run there and passed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:generate go run .

func main() {
	skeleton := flag.Bool("skeleton", false, "print the rows that are missing")
	flag.Parse()
	if err := run(*skeleton, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(skeleton bool, logs []string) error {
	root, err := projectRoot()
	if err != nil {
		return err
	}
	t, err := load(root)
	if err != nil {
		return err
	}
	if skeleton {
		fmt.Print(t.skeleton())
		return nil
	}
	problems, err := t.checkLogs(logs)
	if err != nil {
		return err
	}
	if problems = append(t.check(root), problems...); len(problems) > 0 {
		return errors.New(strings.Join(problems, "\n"))
	}
	if len(logs) > 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(root, page), []byte(t.render()), 0o644)
}

// page is what is made.
const page = "docs/conformance.md"

// projectRoot is the directory with go.mod.
func projectRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("this is not in the project")
		}
	}
}

// table is all that the page is made of.
type table struct {
	spec   []section
	groups []group // of the statements
	fields []group
	tests  suite
}

func load(root string) (*table, error) {
	dir, err := specDir()
	if err != nil {
		return nil, err
	}
	t := &table{}
	if t.spec, err = readSpec(dir); err != nil {
		return nil, err
	}
	rows := filepath.Join(root, "tests", "conformance", "rows")
	if t.groups, err = readGroups(rows, specFiles); err != nil {
		return nil, err
	}
	if t.fields, err = readGroups(rows, []string{fieldFile}); err != nil {
		return nil, err
	}
	constants, err := stringConstants(filepath.Join(dir, "specs-go"), "specs")
	if err != nil {
		return nil, err
	}
	t.tests, err = readSuite(root, constants)
	return t, err
}

// check lists all that is wrong.
func (t *table) check(root string) []string {
	return append(t.checkStatements(), t.checkFields(root, documents)...)
}

func (t *table) checkStatements() []string {
	return append(compare(t.spec, t.groups), prove(t.groups, t.tests)...)
}

func (t *table) checkFields(root string, documents []document) []string {
	return append(compareFields(root, documents, t.fields), prove(t.fields, t.tests)...)
}

// skeleton are the sections and the fields that have no rows, in the form of rows.
func (t *table) skeleton() string {
	var text strings.Builder
	for _, s := range t.spec {
		there := false
		for _, g := range t.groups {
			there = there || g.name == s.name()
		}
		if there {
			continue
		}
		fmt.Fprintf(&text, "\n== %s %s\n", s.name(), s.sum)
		for _, st := range s.statements {
			fmt.Fprintf(&text, "%s: %s\n", st.keyword, st.text)
		}
	}
	return text.String() + fieldSkeleton(t.fields)
}
