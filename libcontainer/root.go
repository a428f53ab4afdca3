// Package libcontainer is a container as an object: what the verbs of the OCI
// runtime specification do to one, and what is kept of it on disk.
//
// Every verb is one file that reads from top to bottom. What happens inside
// the container is in steps.go: the ordered table of steps, each of which
// appends operations to the plan that the stage performs.
package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"golang.org/x/sys/unix"

	"hull/specconv"
)

// Root is a state root: a directory with one directory per container.
type Root struct {
	Dir string // absolute
}

// rootMode keeps other users out: bundles and sockets below may be sensitive.
const rootMode = 0o700

// OpenRoot opens the state root dir, and makes it if need be. A root that others can
// write, or that belongs to somebody else, is refused: they could forge containers.
func OpenRoot(dir string) (*Root, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("state root: %w", err)
	}
	if dir == "/" {
		return nil, errors.New("state root: / cannot be the state root; give --root a directory of its own")
	}
	err = os.Mkdir(dir, rootMode)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(dir, rootMode)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("state root: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return nil, fmt.Errorf("state root %s: %w", dir, err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return nil, fmt.Errorf("state root %s: %w", dir, unix.ENOTDIR)
	case int(st.Uid) != os.Geteuid():
		return nil, fmt.Errorf("state root %s: belongs to uid %d, not to us (uid %d)", dir, st.Uid, os.Geteuid())
	case st.Mode&0o022 != 0 && st.Mode&unix.S_ISVTX == 0:
		return nil, fmt.Errorf("state root %s: mode %04o lets other users write to it", dir, st.Mode&0o7777)
	}
	return &Root{Dir: dir}, nil
}

// Load finds the container id. [ErrNotExist] if there is none.
func (r *Root) Load(id string) (*Container, error) {
	if err := specconv.ID(id); err != nil {
		return nil, err
	}
	c := &Container{root: r, ID: id}
	if err := c.own(); err != nil {
		return nil, err
	}
	err := c.load()
	if errors.Is(err, fs.ErrNotExist) {
		if _, serr := os.Lstat(c.dir()); serr != nil {
			return nil, fmt.Errorf("container %s: %w", id, ErrNotExist)
		}
		if _, serr := os.Lstat(c.path(configFile)); serr != nil {
			// Killed between making the directory and writing the record, or on the way.
			c.rec, err = &record{ID: id}, nil
		}
	}
	if err != nil {
		c.torn = err
		c.rec = c.salvage()
	}
	return c, nil
}

// own refuses a directory that is not ours alone: in a state root that others can write
// to, such as /tmp, they could forge a container, and have us run its hooks.
func (c *Container) own() error {
	var st unix.Stat_t
	if err := unix.Lstat(c.dir(), &st); err != nil {
		return nil //nolint:nilerr // no such container, as the reader of the record says better
	}
	if int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		return fmt.Errorf("container %s: %s belongs to uid %d with mode %04o, and may be forged", c.ID, c.dir(), st.Uid, st.Mode&0o7777)
	}
	return nil
}

// List are all containers, by id, including broken ones.
func (r *Root) List() ([]*Container, error) {
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return nil, fmt.Errorf("state root: %w", err)
	}
	var list []*Container
	for _, e := range entries {
		if !e.IsDir() || specconv.ID(e.Name()) != nil {
			continue
		}
		c, err := r.Load(e.Name())
		if err != nil {
			continue // deleted while we looked
		}
		list = append(list, c)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list, nil
}
