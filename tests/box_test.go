package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/tests/image"
)

// box is one container under test: a bundle, an id, and a state root of its own.
type box struct {
	t      testing.TB
	id     string
	dir    string // all of it is below here
	bundle string
	rootfs string
	root   string // --root
	spec   *specs.Spec

	binary  string   // hull, as a rule
	global  []string // more global options
	env     []string // more variables for hull
	wrapper []string // a command that runs hull
	denied  []string // system calls: see deny_test.go
	fresh   bool     // there was no container before the last command
	before  []string // the mounts before it

	listening []string          // sockets of the test's own
	canaries  map[string]string // directories that may not change, and how they were
}

// markerName is the variable that tells which box a process belongs to.
const markerName = "HULL_TEST"

var boxes atomic.Int64

// boxID is the id of the box of the process pid whose directory has that name.
func boxID(pid int, name string) string { return fmt.Sprintf("hull-test-%d-%s", pid, name) }

// newBox makes a bundle with the default configuration as edited. When the
// test ends, the container is deleted and nothing of it may be left.
func newBox(t *testing.T, edits ...edit) *box {
	t.Helper()
	if baseErr != nil {
		t.Fatal(baseErr)
	}
	if byUser && delegated() == "" {
		t.Skip("needs root, or a cgroup v2 that is delegated to this user")
	}
	name := fmt.Sprintf("%04d", boxes.Add(1))
	b := &box{t: t, id: boxID(os.Getpid(), name), dir: filepath.Join(work, name), binary: hullPath, denied: denied, canaries: map[string]string{}}
	b.bundle = filepath.Join(b.dir, "bundle")
	b.rootfs = filepath.Join(b.bundle, "rootfs")
	b.root = filepath.Join(b.dir, "root")
	if underSystemd {
		b.global = append(b.global, "--systemd-cgroup")
	}
	b.check(os.MkdirAll(b.bundle, 0o755))
	b.check(image.Clone(baseRoot, b.rootfs))
	t.Cleanup(b.cleanup)
	b.configure(defaultSpec(b.id), append([]edit{rootless}, edits...)...)
	return b
}

// configure writes config.json.
func (b *box) configure(s *specs.Spec, edits ...edit) {
	b.t.Helper()
	b.spec = s
	for _, e := range edits {
		e(s)
	}
	data, err := json.MarshalIndent(s, "", "\t")
	b.check(err)
	b.writeConfig(string(data))
}

// edit changes the configuration on disk.
func (b *box) edit(edits ...edit) *box {
	b.t.Helper()
	b.configure(b.spec, edits...)
	return b
}

// writeConfig writes config.json as it is.
func (b *box) writeConfig(text string) {
	b.t.Helper()
	b.check(os.WriteFile(filepath.Join(b.bundle, "config.json"), []byte(text), 0o644))
}

// path is a path below the box's directory, outside the bundle.
func (b *box) path(elem ...string) string {
	return filepath.Join(append([]string{b.dir}, elem...)...)
}

// file writes a file below the box's directory and returns its path.
func (b *box) file(name, text string) string {
	b.t.Helper()
	path := b.path(name)
	b.check(os.MkdirAll(filepath.Dir(path), 0o755))
	b.check(os.WriteFile(path, []byte(text), 0o644))
	return path
}

// read returns what is in a file.
func (b *box) read(path string) string {
	b.t.Helper()
	data, err := os.ReadFile(path)
	b.check(err)
	return string(data)
}

// check ends the test at an error of the harness itself.
func (b *box) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// cleanup deletes the container, if any, and reports and removes what is left of it.
func (b *box) cleanup() {
	b.t.Helper()
	b.denied = nil
	if entries, err := os.ReadDir(b.root); err == nil && len(entries) > 0 {
		if r := b.hull("delete", "--force", b.id); r.code != 0 {
			b.t.Errorf("delete --force at the end: %s", r)
		}
	}
	for _, left := range b.leftovers() {
		b.t.Errorf("left behind: %s", left)
	}
	b.sweep()
	b.wantCanaries()
	b.check(remove(b.dir))
}
