package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/nsenter"
)

// A farm is a tree as a model: what is at each clean path below its root, "" for
// a directory, else the target of a link. A file has the target "-".
type farm map[string]string

const aFile = "-"

// farmFrom reads a farm from lines `path target`; path is of few names, so that links meet.
func farmFrom(text, outside string) farm {
	tree := farm{"/": ""}
	for line := range strings.Lines(text) {
		path, target, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		path = filepath.Clean("/" + path)
		if parent, ok := tree[filepath.Dir(path)]; !ok || parent != "" || strings.ContainsRune(line, 0) || len(filepath.Base(path)) > 255 || len(target) > 1000 {
			continue
		}
		if _, taken := tree[path]; !taken && len(tree) < 32 {
			tree[path] = strings.ReplaceAll(target, "OUT", outside)
		}
	}
	return tree
}

// plant makes the farm below dir.
func (tree farm) plant(t *testing.T, dir string) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(tree)) {
		var err error
		switch target := tree[path]; target {
		case "":
			err = os.MkdirAll(dir+path, 0o755)
		case aFile:
			err = os.WriteFile(dir+path, nil, 0o600)
		default:
			err = os.Symlink(target, dir+path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

var (
	errModel = errors.New("not to be made")
	errLoop  = errors.New("more links than the kernel follows at once")
)

// walk is what path_resolution(7) says of path in a process whose root is the farm's, but that it makes
// directories where nothing is, as the target of a link too. It returns the path without links.
func (tree farm) walk(path string) (string, error) {
	at, left := "/", strings.Split(path, "/")
	for links := 0; len(left) > 0; {
		name := left[0]
		left = left[1:]
		if tree[at] != "" {
			return "", errModel // a file
		}
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		target, ok := tree[next]
		switch {
		case !ok:
			tree[next], at = "", next
		case target == "" || target == aFile:
			at = next
		default:
			if links++; links > 40 {
				return "", errLoop
			}
			if target[0] == '/' {
				at = "/"
			}
			left = append(strings.Split(target, "/"), left...)
		}
	}
	if tree[at] != "" {
		return "", errModel
	}
	return at, nil
}

// look describes what is below dir as a farm.
func look(t *testing.T, dir string) farm {
	t.Helper()
	tree := farm{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		what := ""
		if d.Type() == fs.ModeSymlink {
			what, err = os.Readlink(path)
		} else if !d.IsDir() {
			what = aFile
		}
		tree[filepath.Join("/", strings.TrimPrefix(path, dir))] = what
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// makeInRoot lets a stage make the directory path below dir, and the directory mark in that.
func makeInRoot(t *testing.T, dir, path string) error {
	t.Helper()
	p := plan.New()
	root := p.Inherit(func() (*os.File, error) { return os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0) })
	made := p.MkdirInRoot(root, path, 0o755).Into()
	p.Mkdirat(made, "mark", 0o755)
	end := p.Ask("end", nil, func(*plan.Call) error { return nil })
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	s, err := nsenter.Start(p, nsenter.Options{Stdio: [3]*os.File{null, null, null}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Kill()
	return s.Serve(end)
}

// Through any links, a directory is made where a process with that root would make it, and nowhere else.
func FuzzPathsInASymlinkFarm(f *testing.F) {
	for _, text := range []string{"", "a \na/b ../..\na/c OUT", "a OUT\nb a/x", "a b\nb a", "a /b\nb ../../../OUT/made", "a -\nb a", "a .\nb a/a/a", "a \na/b c\na/c d\na/d /a/new/er"} {
		for _, path := range []string{"/a/b/c", "a/b/../../b/x", "..", "/a/c/../../x", "b", "/b/a"} {
			f.Add(text, path)
		}
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		if path == "" || strings.ContainsRune(path, 0) || len(path) > 1000 || slices.ContainsFunc(strings.Split(path+"/"+strings.ReplaceAll(text, "\n", "/"), "/"), func(s string) bool { return len(s) > 200 }) {
			return
		}
		dir := t.TempDir()
		outside := filepath.Join(dir, "out")
		if err := os.Mkdir(outside, 0o755); err != nil {
			t.Fatal(err)
		}
		tree := farmFrom(text, outside)
		tree.plant(t, dir+"/root")
		err := makeInRoot(t, dir+"/root", path)
		where, want := tree.walk(path)
		mark := filepath.Join(where, "mark")
		if _, taken := tree[mark]; taken {
			want = errModel
		}
		tree[mark] = ""
		if left := look(t, outside); len(left) != 1 {
			t.Errorf("%q in %q: made outside: %v", path, text, left)
		}
		if !errors.Is(want, errLoop) && (err == nil) != (want == nil) {
			t.Fatalf("%q in %q: %v, want %v", path, text, err, want)
		}
		if got := look(t, dir+"/root"); err == nil && want == nil && !maps.Equal(got, tree) {
			t.Errorf("%q in %q:\n got %v\nwant %v", path, text, fmt.Sprint(got), fmt.Sprint(tree))
		}
	})
}
