package tests

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// canary makes a directory with files of all sorts in it and returns its path. When the
// test ends, nothing in it may have changed: no name, contents, mode, owner or attribute.
func (b *box) canary(name string) string {
	b.t.Helper()
	dir := b.path(name)
	b.check(os.MkdirAll(filepath.Join(dir, "dir", "deep"), 0o755))
	b.check(os.WriteFile(filepath.Join(dir, "file"), []byte("canary\n"), 0o640))
	b.check(os.WriteFile(filepath.Join(dir, "dir", "deep", "script"), []byte("#!/bin/sh\n"), 0o755))
	b.check(os.Symlink("file", filepath.Join(dir, "link")))
	b.canaries[dir] = snapshot(b.t, dir)
	return dir
}

// wantCanaries asserts that all canaries are as they were.
func (b *box) wantCanaries() {
	b.t.Helper()
	for dir, before := range b.canaries {
		if after := snapshot(b.t, dir); after != before {
			b.t.Errorf("%s was changed:\nbefore:\n%s\nafter:\n%s", dir, before, after)
		}
	}
}

// snapshot describes every file below dir. The change time gives away what was changed back.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s %o %d:%d size %d changed %d.%09d\n", path, st.Mode, st.Uid, st.Gid, st.Size, st.Ctim.Sec, st.Ctim.Nsec)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}
