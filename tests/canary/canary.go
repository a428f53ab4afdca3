// Package canary watches a directory of the host that nothing may touch.
package canary

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Make makes the directory dir with files of all sorts in it, and looks at it.
func Make(dir string) (string, error) {
	if err := os.MkdirAll(filepath.Join(dir, "dir", "deep"), 0o755); err != nil {
		return "", err
	}
	for name, mode := range map[string]fs.FileMode{"file": 0o640, "ptmx": 0o600, "dir/deep/script": 0o755} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("canary\n"), mode); err != nil {
			return "", err
		}
	}
	if err := os.Symlink("file", filepath.Join(dir, "link")); err != nil {
		return "", err
	}
	return Look(dir)
}

// Look describes every file below dir: no name, contents, mode, owner or attribute can
// change without it. The change time gives away what was changed back.
func Look(dir string) (string, error) {
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
	return text.String(), err
}
