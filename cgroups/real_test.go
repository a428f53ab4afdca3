package cgroups

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The tests in this file make cgroups on the host they run on, below a parent of their own.

// realHost is this host, for those who may make cgroups.
func realHost(t *testing.T) *Host {
	t.Helper()
	h, err := Detect()
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Mounts) == 0 {
		t.Skip("no cgroup file system is mounted")
	}
	if paths, err := h.paths(parentPath(t)); err != nil {
		t.Fatal(err)
	} else if err := mayCreate(map[string]string{"": filepath.Dir(filepath.Dir(paths[""]))}); os.Geteuid() != 0 && err != nil {
		t.Skip(err)
	}
	return h
}

// parentName names the cgroup below which the test makes its own.
func parentName(t *testing.T) string {
	return fmt.Sprintf("hull-test-%d/%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
}

// parentPath is where that is: for root at the top, for a user below what is the user's.
func parentPath(t *testing.T) string {
	if os.Geteuid() == 0 {
		return "/" + parentName(t)
	}
	return parentName(t)
}

// created is a new cgroup that is gone when the test ends, with its parents.
func created(t *testing.T, h *Host) Cgroup {
	t.Helper()
	c, err := h.New(parentPath(t)+"/c", "c", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Create(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Kill(), c.Delete()); err != nil {
			t.Error(err)
		}
		for _, path := range c.Paths() {
			if parent := filepath.Dir(path); exists(parent) {
				t.Errorf("%s is left", parent)
			}
		}
	})
	return c
}

// process runs a shell script in c, which says so when it is there.
func process(t *testing.T, c Cgroup, born bool, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `for f; do echo 0 >"$f" || exit 1; done; echo there; `+script, "sh")
	cmd.Args = append(cmd.Args, c.JoinPaths(born)...)
	if dir, err := c.Dir(); err != nil {
		t.Fatal(err)
	} else if born && dir != nil {
		defer dir.Close()
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "there\n" {
		t.Fatalf("the process did not join: %q, %v", line, err)
	}
	return cmd
}

// content reads a file of c's cgroup of a controller.
func content(t *testing.T, c Cgroup, controller, file string) string {
	t.Helper()
	path, ok := c.Paths()[controller]
	if !ok {
		path = c.Paths()[""]
	}
	b, err := os.ReadFile(filepath.Join(path, file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}
