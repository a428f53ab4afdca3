package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// house is where it all happens: the runtimes, their bundles, what was found.
type house struct {
	*options
	dir      string
	runtimes []*contestant
	cgroups  []string
	tables   []*table
}

func newHouse(o *options) (h *house, err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("needs root: it makes containers")
	}
	h = &house{options: o}
	if h.dir, err = os.MkdirTemp("/run", "hull-bench"); err != nil {
		return nil, err
	}
	if err := h.build(); err != nil {
		h.tearDown()
		return nil, err
	}
	return h, nil
}

func (h *house) build() error {
	if err := os.Chmod(h.dir, 0o755); err != nil {
		return err
	}
	names := []string{"hull=" + h.hull}
	if h.also != "" {
		names = append(names, strings.Split(h.also, ",")...)
	}
	for _, name := range append(names, "crun=crun", "runc=runc") {
		name, path, _ := strings.Cut(name, "=")
		if slices.Contains(strings.Split(h.without, ","), name) {
			continue
		}
		path, err := exec.LookPath(path)
		if err != nil {
			return fmt.Errorf("%w: .ci/deps bench installs what is compared", err)
		}
		c, err := newContestant(h, name, path)
		if err != nil {
			return err
		}
		h.runtimes = append(h.runtimes, c)
	}
	if err := h.findCgroups(); err != nil {
		return err
	}
	if h.floor == "" {
		if err := h.buildFloor(); err != nil {
			return err
		}
	}
	return h.makeBundles()
}

// buildFloor builds the floor.
func (h *house) buildFloor() error {
	h.floor = filepath.Join(h.dir, "floor")
	cc := "gcc"
	if _, err := exec.LookPath("musl-gcc"); err == nil {
		cc = "musl-gcc"
	}
	headers := filepath.Join(h.dir, "include") // the kernel's, which musl-gcc does not see
	if err := os.Mkdir(headers, 0o755); err != nil {
		return err
	}
	multiarch, _ := exec.Command("gcc", "-print-multiarch").Output()
	for _, dir := range []string{"linux", "asm-generic", strings.TrimSpace(string(multiarch)) + "/asm"} {
		if err := os.Symlink("/usr/include/"+dir, filepath.Join(headers, filepath.Base(dir))); err != nil {
			return err
		}
	}
	out, err := exec.Command(cc, "-O2", "-static", "-isystem", headers, "-o", h.floor, "tests/floor/floor.c").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the floor: %w\n%s", err, out)
	}
	return nil
}

// findCgroups finds where the floor's container belongs: beside that of a
// runtime, in each hierarchy.
func (h *house) findCgroups() error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if f[2] == "cgroup" || f[2] == "cgroup2" {
			h.cgroups = append(h.cgroups, filepath.Join(f[1], filepath.Base(h.dir)+"-floor"))
		}
	}
	if len(h.cgroups) == 0 {
		return errors.New("no cgroup hierarchy is mounted")
	}
	return nil
}

// tearDown removes all containers, and the directory.
func (h *house) tearDown() {
	for _, c := range h.runtimes {
		entries, _ := os.ReadDir(c.root)
		for _, e := range entries {
			if e.IsDir() && !strings.HasPrefix(e.Name(), "~") {
				_, _ = c.run("delete", "--force", e.Name())
			}
		}
	}
	for _, path := range h.cgroups {
		_ = unix.Rmdir(path)
	}
	os.RemoveAll(h.dir)
}

// turns are the runtimes in the order of round i: each is first, second, third in turn.
func (h *house) turns(i int) []*contestant {
	k := i % len(h.runtimes)
	return append(slices.Clone(h.runtimes[k:]), h.runtimes[:k]...)
}
