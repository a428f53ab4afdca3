package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hull/internal/sys"
)

// vacant says whether the id is free.
func (c *Container) vacant() error {
	if _, err := os.Lstat(c.dir()); err == nil {
		return fmt.Errorf("container %s: %w", c.ID, ErrExists)
	}
	return nil
}

// claim takes the id: of several who make the directory one is first to lock it. Between making and
// locking, `delete --force` may have removed it, and somebody else made it again.
func (c *Container) claim() (err error) {
	if err := os.Mkdir(c.dir(), 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("container %s: %w", c.ID, ErrExists)
		}
		return fmt.Errorf("state: %w", err)
	}
	if c.held, err = lockDir(c.dir()); err != nil {
		_ = os.Remove(c.dir()) // unless it is deleted already, or somebody else's
		return fmt.Errorf("container %s: state: %w", c.ID, err)
	}
	if _, err := os.Lstat(c.path(recordFile)); err == nil {
		c.unlock()
		return fmt.Errorf("container %s: %w", c.ID, ErrExists)
	}
	return nil
}

// record writes down what is about to be done, and keeps the configuration.
func (c *Container) record(config []byte) (err error) {
	if c.rec.BootID, err = bootID(); err != nil {
		return err
	}
	if c.rec.Creator, err = current(os.Getpid()); err != nil {
		return err
	}
	if err := c.save(); err != nil {
		return err
	}
	if err := sys.WriteFile(c.path(configFile), config, 0o600); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// keep says that something could not be undone: the record stays, by which delete finds it.
func (c *Container) keep(err error) {
	if err != nil {
		c.warn(fmt.Errorf("%w; `delete --force` tries again", err))
		c.kept = true
	}
}

// erase ends what a failed create has begun.
func (c *Container) erase() {
	if c.kept {
		return
	}
	if c.hooked {
		_ = c.afterStop() // it has warned
	}
	_ = os.RemoveAll(c.dir())
}
