package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
)

// suite are the tests of the project, by package directory and name: "tests.TestX".
type suite map[string]*testFunc

// testFunc is a test as its source has it.
type testFunc struct {
	file string
	line int
	subs map[string]bool // strings that may be names of subtests
	only string          // the side that it skips without
}

// lookup finds the test of a reference: TestX, TestX/sub for those in tests/, or dir.TestX.
func (s suite) lookup(ref string) (test *testFunc, sub string) {
	dir, name := split(ref)
	name, sub, _ = strings.Cut(name, "/")
	return s[dir+"."+name], sub
}

// split splits a reference into the package's directory and the test's name.
func split(ref string) (dir, name string) {
	if before, after, ok := strings.Cut(ref, ".Test"); ok {
		return before, "Test" + after
	}
	return "tests", ref
}

// has tells whether there may be a subtest of the name. Names that are made at run time, with a
// number in them, are not seen here; whether a test has run is for its log to say.
func (f *testFunc) has(sub string) bool {
	for part := range strings.SplitSeq(sub, "/") {
		if part != "" && !f.subs[part] {
			return false
		}
	}
	return true
}

// readSuite parses all tests below root. The constants are string constants of
// other packages, such as specs.ActErrno, by the names that tests call them.
func readSuite(root string, constants map[string]string) (suite, error) {
	packages := map[string]map[string]*ast.File{} // by directory and file, below root
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if packages[filepath.Dir(rel)] == nil {
			packages[filepath.Dir(rel)] = map[string]*ast.File{}
		}
		packages[filepath.Dir(rel)][rel] = file
		return err
	})
	s := suite{}
	for dir, files := range packages {
		s.add(dir, files, set, constants)
	}
	return s, err
}

// add takes the tests of one package, whose tables may be in other files of it.
func (s suite) add(dir string, files map[string]*ast.File, set *token.FileSet, constants map[string]string) {
	tables := map[string]*testFunc{}
	for _, file := range files {
		maps.Copy(tables, variables(file, constants))
	}
	for name, file := range files {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") || f.Body == nil {
				continue
			}
			t := &testFunc{file: name, line: set.Position(f.Pos()).Line, subs: map[string]bool{}}
			t.read(f.Body, constants, tables)
			s[dir+"."+f.Name.Name] = t
		}
	}
}

// onlySide are the helpers that skip a test where the host is of the other side.
var onlySide = map[string]string{"needV1": "v1", "needV2": "v2"}

// variables are the file's own variables, with the strings in their values: tables of tests.
func variables(file *ast.File, constants map[string]string) map[string]*testFunc {
	found := map[string]*testFunc{}
	for _, decl := range file.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
			for _, spec := range d.Specs {
				values := &testFunc{subs: map[string]bool{}}
				values.read(spec, constants, nil)
				for _, name := range spec.(*ast.ValueSpec).Names {
					found[name.Name] = values
				}
			}
		}
	}
	return found
}

// read collects the strings of a test's body, and of the tables that it names, and its calls.
func (f *testFunc) read(body ast.Node, constants map[string]string, tables map[string]*testFunc) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				f.subs[subName(text)] = true
			}
		case *ast.Ident:
			if values := tables[n.Name]; values != nil {
				maps.Copy(f.subs, values.subs)
			}
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok {
				if value, ok := constants[pkg.Name+"."+n.Sel.Name]; ok {
					f.subs[subName(value)] = true
				}
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && onlySide[name.Name] != "" {
				f.only = onlySide[name.Name]
			}
		}
		return true
	})
}

// subName is what package testing makes of a subtest's name, for printable ones.
func subName(text string) string { return strings.ReplaceAll(text, " ", "_") }

// stringConstants are the string constants of a package's directory, as others call them.
func stringConstants(dir, pkg string) (map[string]string, error) {
	found := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != len(spec.Values) {
				return true
			}
			for i, value := range spec.Values {
				if lit, ok := value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil {
						found[pkg+"."+spec.Names[i].Name] = text
					}
				}
			}
			return true
		})
	}
	return found, nil
}
