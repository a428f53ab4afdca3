// Package rdt puts containers into classes of service and monitoring groups of
// Intel's Resource Director Technology (and what AMD and Arm have of the kind), through the file
// system resctrl. config-linux.md, IntelRdt; the kernel's Documentation/filesystems/resctrl.rst.
package rdt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/sys"
)

// Group is where one container is in resctrl, as its state is to record it.
type Group struct {
	Root    string `json:"root"`              // where resctrl is mounted
	Class   string `json:"class"`             // the directory of the class of service
	Own     bool   `json:"own,omitempty"`     // the class is the container's alone, and goes with it
	Monitor string `json:"monitor,omitempty"` // the directory of its monitoring group

	made []string // by Create
}

// ErrNotMounted is why a container cannot have linux.intelRdt.
var ErrNotMounted = errors.New("no resctrl file system is mounted: mount -t resctrl resctrl /sys/fs/resctrl, where the processor has the feature")

// What a test does in the kernel's place: resctrl fills new directories by itself, and removes full ones.
var (
	findRoot = mountedRoot
	makeDir  = func(dir string) error { return os.Mkdir(dir, 0o755) }
	remove   = unix.Rmdir
)

// mountedRoot finds resctrl among the mounts.
func mountedRoot() (string, error) {
	text, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	defer text.Close()
	mounts, err := mountinfo.GetMountsFromReader(text, mountinfo.FSTypeFilter("resctrl"))
	if err != nil {
		return "", err
	}
	for _, m := range mounts {
		if m.Root == "/" {
			return m.Mountpoint, nil
		}
	}
	return "", ErrNotMounted
}

// New names the groups of container id, and refuses what Create would refuse for
// what is there already. Nothing is made yet.
func New(id string, r *specs.LinuxIntelRdt) (*Group, error) {
	root, err := findRoot()
	if err != nil {
		return nil, fmt.Errorf("linux.intelRdt: %w", err)
	}
	g := &Group{Root: root, Class: filepath.Join(root, r.ClosID)}
	if r.ClosID == "" {
		g.Class, g.Own = filepath.Join(root, id), true
	}
	_, err = os.Lstat(g.Class)
	there := err == nil
	switch {
	case g.Own && there:
		return nil, fmt.Errorf("linux.intelRdt: %s is in the way: there is a class of service of the container's name: %w", g.Class, unix.EEXIST)
	case there:
		if err := g.compare(r); err != nil {
			return nil, err
		}
	case !g.Own && len(lines(r)) == 0:
		return nil, fmt.Errorf("linux.intelRdt.closID (%s): there is no class of service of this name, and no schema to make one with: %w", r.ClosID, unix.ENOENT)
	}
	if r.EnableMonitoring {
		g.Monitor = filepath.Join(g.Class, "mon_groups", id)
		if _, err := os.Lstat(g.Monitor); err == nil {
			return nil, fmt.Errorf("linux.intelRdt.enableMonitoring (%s): there is a monitoring group of the container's name: %w", g.Monitor, unix.EEXIST)
		}
	}
	return g, nil
}

// Create makes the directories that are missing and writes the schemata.
func (g *Group) Create(r *specs.LinuxIntelRdt) error {
	if err := g.make(g.Class, "linux.intelRdt.closID", "the processor has no more classes of service"); err != nil {
		return err
	}
	if err := g.Write(lines(r)); err != nil {
		return err
	}
	if g.Monitor == "" {
		return nil
	}
	return g.make(g.Monitor, "linux.intelRdt.enableMonitoring", "the processor has no more monitoring groups")
}

func (g *Group) make(dir, field, full string) error {
	switch err := makeDir(dir); {
	case err == nil:
		g.made = append(g.made, dir)
	case errors.Is(err, fs.ErrExist) && dir == g.Class && !g.Own: // New has looked at it
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("%s (%s): %s: %w", field, dir, full, unix.ENOSPC)
	default:
		return fmt.Errorf("%s (%s): cannot be made: %w", field, dir, sys.Bare(err))
	}
	return nil
}

// Undo removes what Create has made.
func (g *Group) Undo() error {
	var errs []error
	for _, v := range slices.Backward(g.made) {
		errs = append(errs, removeDir(v))
	}
	return errors.Join(errs...)
}

// Delete removes what was made for the container alone. It can be repeated.
func (g *Group) Delete() error {
	if g.Monitor != "" {
		if err := removeDir(g.Monitor); err != nil {
			return err
		}
	}
	if g.Own {
		return removeDir(g.Class)
	}
	return nil
}

func removeDir(dir string) error {
	if err := remove(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("linux.intelRdt: remove %s: %w", dir, sys.Bare(err))
	}
	return nil
}

// Add puts process pid, which has one thread, into the groups; its children follow.
func (g *Group) Add(pid int) error {
	dirs := []string{g.Class}
	if g.Monitor != "" { // takes only what is in its class
		dirs = append(dirs, g.Monitor)
	}
	for _, dir := range dirs {
		if err := g.writeFile(filepath.Join(dir, "tasks"), strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("linux.intelRdt: %w", err)
		}
	}
	return nil
}

// writeFile writes one line, and adds to an error what resctrl says of it.
func (g *Group) writeFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", path, sys.Bare(err))
	}
	_, err = f.WriteString(text + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		return nil
	}
	why, _ := os.ReadFile(filepath.Join(g.Root, "info", "last_cmd_status"))
	if s := strings.TrimSpace(string(why)); s != "" && s != "ok" {
		return fmt.Errorf("write %q to %s: %s: %w", text, path, s, sys.Bare(err))
	}
	return fmt.Errorf("write %q to %s: %w", text, path, sys.Bare(err))
}
