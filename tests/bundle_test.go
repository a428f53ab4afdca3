package tests

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// busyboxApplets are the commands that tests run in a shell; the rest is a call of busybox.
var busyboxApplets = []string{"sh", "true", "false", "cat", "echo", "env", "id", "ls", "mount", "ps", "sleep", "stat", "tail"}

// makeBase makes the root file system whose copies the bundles use.
func makeBase() error {
	for _, dir := range []string{"bin", "dev", "etc", "proc", "root", "sys", "home/user", "var", "mnt", "usr/lib"} {
		if err := os.MkdirAll(filepath.Join(baseRoot, dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(baseRoot, "tmp"), 0o755); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(baseRoot, "tmp"), 0o777|fs.ModeSticky); err != nil {
		return err
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return fmt.Errorf("%w: install busybox-static", err)
	}
	for from, to := range map[string]string{busybox: "bin/busybox", probe: "bin/probe"} {
		if err := copyFile(from, filepath.Join(baseRoot, to), 0o755); err != nil {
			return err
		}
	}
	for _, name := range busyboxApplets {
		if err := os.Symlink("busybox", filepath.Join(baseRoot, "bin", name)); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n",
		"etc/group":  "root:x:0:\nuser:x:1000:\n",
	} {
		if err := os.WriteFile(filepath.Join(baseRoot, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// cloneBase makes a root file system at dir. The programs are hard links: tests do not write to them.
func cloneBase(dir string) error {
	return filepath.WalkDir(baseRoot, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := dir + strings.TrimPrefix(path, baseRoot)
		switch {
		case d.IsDir():
			info, err := d.Info()
			if err != nil {
				return err
			}
			if err := os.Mkdir(to, 0o755); err != nil {
				return err
			}
			return os.Chmod(to, info.Mode())
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		case strings.HasPrefix(path, baseRoot+"/bin/"):
			return os.Link(path, to)
		default:
			return copyFile(path, to, 0o644)
		}
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, mode)
}
