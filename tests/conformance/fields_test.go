package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestEveryFieldHasItsProof(t *testing.T) {
	table, root := project(t)
	for _, p := range table.checkFields(root, documents) {
		t.Error(p)
	}
}

type inner struct {
	Major int `json:"major"`
}

type outer struct {
	Name    string `json:"name,omitempty"`
	Devices []struct {
		inner
		Rate *uint `json:"rate"`
	} `json:"devices"`
	Maps    map[string]inner  `json:"maps"`
	Labels  map[string]string `json:"labels"`
	Foreign *inner            `json:"foreign"`
}

func TestFindsTheFieldsOfAType(t *testing.T) {
	want := []leaf{
		{"name", "Name"}, {"devices[].major", "Major"}, {"devices[].rate", "Rate"}, {"maps.*.major", "Major"}, {"labels.*", "Labels"}, {"foreign.major", "Major"},
	}
	if got := leaves("", "", reflect.TypeFor[outer]()); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

const (
	fieldRows = `
== fields#outer
name: one.go
  tests: TestOne
{devices[],maps.*}.major: one.go two.go
  tests: TestOne
devices[].rate: two.go
  tests: TestOne
labels.*: one.go
  tests: TestOne
foreign: nowhere
  why: not ours
`
	one = "package x\n\nvar _ = y{Name: 1, Major: 2, z: w.Labels}\n"
	two = "package x\n\nvar _ = w.Major + w.Rate\n"
)

func TestNoticesFieldsThatAreMissing(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"right":          {"name", "name", ""},
		"no row":         {"name: one.go\n  tests: TestOne\n", "", "fields:2: 0 rows for name"},
		"two rows":       {"foreign: nowhere", "name: one.go\n  tests: TestOne\nforeign: nowhere", "2 rows for name"},
		"new field":      {"foreign: nowhere", "foreign: one.go", "0 rows for foreign.major"},
		"no such field":  {"labels.*", "label.*", "outer has not all of label.*"},
		"half of a row":  {"{devices[],maps.*}", "{devices[],maps.*,labels.*}", "has not all of {devices[],maps.*,labels.*}.major"},
		"no such source": {"rate: two.go", "rate: three.go", "three.go: no such file"},
		"unused":         {"name: one.go", "name: two.go", "two.go does not use Name, the field of name"},
		"no rows":        {"== fields#outer", "== fields#inner", "no rows for fields#outer"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range map[string]string{"one.go": one, "two.go": two} {
				if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.Contains(fieldRows, c.from) {
				t.Fatalf("there is no %q", c.from)
			}
			groups, err := parseGroups("fields", strings.Replace(fieldRows, c.from, c.to, 1))
			if err != nil {
				t.Fatal(err)
			}
			problems := strings.Join(compareFields(root, []document{{"outer", "Outer", reflect.TypeFor[outer]()}}, groups), "\n")
			if c.want == "" && problems != "" || !strings.Contains(problems, c.want) {
				t.Errorf("want %q: %q", c.want, problems)
			}
		})
	}
}
