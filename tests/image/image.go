// Package image makes the root file system that the tests' containers have:
// busybox, the probe (tests/probe), and little else.
package image

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Probe builds the probe from its sources in the directory src. HULL_PROBE
// names one that is there already, for machines without a compiler.
func Probe(src, out string) error {
	if built := os.Getenv("HULL_PROBE"); built != "" {
		return Copy(built, out, 0o755)
	}
	sources, err := filepath.Glob(filepath.Join(src, "*.c"))
	if err != nil {
		return err
	}
	gcc := exec.Command("gcc", append([]string{"-static", "-Os", "-Wall", "-Wextra", "-Werror", "-o", out}, sources...)...)
	if text, err := gcc.CombinedOutput(); err != nil {
		return fmt.Errorf("build the probe: %w\n%s", err, text)
	}
	return nil
}

// busyboxApplets are the commands that tests run in a shell; the rest is a call of busybox.
var busyboxApplets = []string{"sh", "true", "false", "cat", "echo", "env", "id", "ls", "mount", "ps", "sleep", "stat", "tail"}

// Make makes the root file system whose copies the bundles use at dir.
func Make(dir, probe string) error {
	for _, name := range []string{"bin", "dev", "etc", "proc", "root", "sys", "home/user", "var", "mnt", "usr/lib"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o755); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(dir, "tmp"), 0o777|fs.ModeSticky); err != nil {
		return err
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return fmt.Errorf("%w: install busybox-static", err)
	}
	for from, to := range map[string]string{busybox: "bin/busybox", probe: "bin/probe"} {
		if err := Copy(from, filepath.Join(dir, to), 0o755); err != nil {
			return err
		}
	}
	for _, name := range busyboxApplets {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", name)); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n",
		"etc/group":  "root:x:0:\nuser:x:1000:\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Clone makes a root file system at dir like base. The programs are hard links: tests do not write to them.
func Clone(base, dir string) error {
	return filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := dir + strings.TrimPrefix(path, base)
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
		case strings.HasPrefix(path, base+"/bin/"):
			return os.Link(path, to)
		default:
			return Copy(path, to, 0o644)
		}
	})
}

// Copy copies a file.
func Copy(from, to string, mode fs.FileMode) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, mode)
}
