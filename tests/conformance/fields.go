package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

// document is a type of specs-go that hull reads or writes. Its rows are the group fields#name.
type document struct {
	name, title string
	typ         reflect.Type
}

var documents = []document{
	{"config", "config.json", reflect.TypeFor[specs.Spec]()},
	{"state", "State", reflect.TypeFor[specs.State]()},
	{"container-process-state", "Container process state", reflect.TypeFor[specs.ContainerProcessState]()},
	{"features", "Features", reflect.TypeFor[features.Features]()},
}

// fieldFile is the file of the fields' rows.
const fieldFile = "fields"

func (d *document) group() string { return fieldFile + "#" + d.name }

// leaf is a member that has none itself: its JSON path, and the name of its field in Go.
type leaf struct{ path, field string }

// leaves are the members of a type. Those of lists have [] in their paths, those of maps *.
func leaves(path, field string, typ reflect.Type) []leaf {
	switch typ.Kind() {
	case reflect.Pointer:
		return leaves(path, field, typ.Elem())
	case reflect.Slice:
		return leaves(path+"[]", field, typ.Elem())
	case reflect.Map:
		return leaves(path+".*", field, typ.Elem())
	case reflect.Struct:
		var list []leaf
		for f := range typ.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.Anonymous {
				name = strings.TrimPrefix(path+"."+name, ".")
			} else {
				name = path
			}
			list = append(list, leaves(name, f.Name, f.Type)...)
		}
		return list
	}
	return []leaf{{path, field}}
}

// expand makes a{b,c}d into abd and acd.
func expand(path string) []string {
	head, rest, ok := strings.Cut(path, "{")
	words, tail, end := strings.Cut(rest, "}")
	if !ok || !end {
		return []string{path}
	}
	var list []string
	for word := range strings.SplitSeq(words, ",") {
		list = append(list, expand(head+word+tail)...)
	}
	return list
}

// nowhere is what a row has instead of sources when hull does nothing with a field, and all below it.
const nowhere = "nowhere"

// covers says whether the row is about the leaf.
func (r *row) covers(l leaf) bool {
	for _, path := range expand(r.keyword) {
		rest, ok := strings.CutPrefix(l.path, path)
		if ok && (rest == "" || r.text == nowhere && strings.ContainsRune(".[", rune(rest[0]))) {
			return true
		}
	}
	return false
}

// compareFields tells which fields have no row or two, which rows no field, and which name sources
// that do not mention the field.
func compareFields(root string, documents []document, groups []group) []string {
	var problems []string
	for _, d := range documents {
		i := slices.IndexFunc(groups, func(g group) bool { return g.name == d.group() })
		if i < 0 {
			problems = append(problems, "there are no rows for "+d.group())
			continue
		}
		g := &groups[i]
		found := make([]int, len(g.rows))
		for _, l := range leaves("", "", d.typ) {
			n := 0
			for i := range g.rows {
				if g.rows[i].covers(l) {
					n++
					found[i]++
					problems = append(problems, g.rows[i].handles(root, l)...)
				}
			}
			if n != 1 {
				problems = append(problems, fmt.Sprintf("%s: %d rows for %s", g.source, n, l.path))
			}
		}
		for i, r := range g.rows {
			if found[i] < len(expand(r.keyword)) {
				problems = append(problems, fmt.Sprintf("%s: %s has not all of %s", r.source, d.name, r.keyword))
			}
		}
	}
	return problems
}

// handles tells whether each of the row's sources uses the field.
func (r *row) handles(root string, l leaf) []string {
	if r.text == nowhere {
		return nil
	}
	var problems []string
	for source := range strings.FieldsSeq(r.text) {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, source), nil, parser.SkipObjectResolution)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", r.source, err))
		} else if !mentions(file, l.field) {
			problems = append(problems, fmt.Sprintf("%s: %s does not use %s, the field of %s", r.source, source, l.field, l.path))
		}
	}
	return problems
}

// mentions finds x.Field, or Field: x.
func mentions(file *ast.File, field string) bool {
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			found = found || n.Sel.Name == field
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			found = found || ok && key.Name == field
		}
		return !found
	})
	return found
}

// fieldSkeleton are the rows of fields that have none.
func fieldSkeleton(groups []group) string {
	var text strings.Builder
	for _, d := range documents {
		fmt.Fprintf(&text, "\n== %s\n", d.group())
		for _, l := range leaves("", "", d.typ) {
			there := false
			for _, g := range groups {
				there = there || g.name == d.group() && slices.ContainsFunc(g.rows, func(r row) bool { return r.covers(l) })
			}
			if !there {
				fmt.Fprintf(&text, "%s: %s\n", l.path, l.field)
			}
		}
	}
	return text.String()
}

// renderFields makes the part of the page about fields.
func renderFields(groups []group, tests suite) string {
	var text strings.Builder
	text.WriteString(fieldIntro)
	for i, d := range documents {
		fmt.Fprintf(&text, "\n### %s\n\n| Field | Handled in | Proof |\n| --- | --- | --- |\n", d.title)
		for _, r := range groups[i].rows {
			var sources []string
			for source := range strings.FieldsSeq(r.text) {
				if source != nowhere {
					source = fmt.Sprintf("[%s](../%s)", source, source)
				}
				sources = append(sources, source)
			}
			fmt.Fprintf(&text, "| %s | %s | %s |\n", cell(r.keyword), strings.Join(sources, "<br>"), r.render(tests))
		}
	}
	return text.String()
}

const fieldIntro = `
## Fields

Every field of config.go, state.go and features.go of specs-go ` + version + `, by its JSON path: which sources handle it, and the tests that
prove it. ` + "`a{b,c}`" + ` stands for ab and ac, [] for the elements of a list, * for the members of a map.
`
