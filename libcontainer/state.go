package libcontainer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/cgroups"
	"hull/internal/plainjson"
	"hull/internal/rdt"
	"hull/internal/sys"
)

// The files of a container's directory.
const (
	recordFile = "state.json"  // record
	configFile = "config.json" // the bundle's, word for word
	socketFile = "start.sock"  // the stage listens here in the state created
)

// Container is one container of a state root.
type Container struct {
	ID string

	// Init is the container's process in the command that created or started it.
	Init *Process

	root   *Root
	rec    *record
	read   []byte // what rec was read from
	config *specs.Spec
	held   *os.File // the directory, while we hold its lock
	torn   error    // why the record on disk cannot be read
	hooked bool     // a hook has run: poststop hooks are due when the container goes
	kept   bool     // a failed create could not undo something: what is left is for delete
	notify *notify  // a service manager waits for the container to be ready
}

// record is what is kept of a container. It is written before the first side
// effect of create and only ever extended, so that whatever is found of a
// container whose creator was killed can be removed.
type record struct {
	ID       string            `json:"id"`
	Bundle   string            `json:"bundle"`
	Rootfs   string            `json:"rootfs"`
	Created  time.Time         `json:"created"`
	UID      int               `json:"uid"` // of the creator
	BootID   string            `json:"bootId"`
	Creator  process           `json:"creator"`
	Init     process           `json:"init"`
	Cgroup   cgroupRecord      `json:"cgroup"`
	RDT      *rdt.Group        `json:"rdt,omitempty"`
	Rootless bool              `json:"rootless,omitempty"`
	Notes    map[string]string `json:"annotations,omitempty"`

	// Devices are the rules of linux.resources.devices in force, once update has changed them.
	Devices []specs.LinuxDeviceCgroup `json:"devices,omitempty"`

	// Release names the operations that the stage performs after `start` has
	// released it, to explain a failure there without the plan at hand: a list
	// of released, which is decoded only then.
	Release json.RawMessage `json:"release,omitempty"`

	// PlainStart says that start is nothing but that release, without hooks or
	// a seccomp listener, PlainStop that there are no poststop hooks: neither
	// start nor delete need decode the configuration then.
	PlainStart bool `json:"plainStart,omitempty"`
	PlainStop  bool `json:"plainStop,omitempty"`
}

type released struct {
	Op     uint32         `json:"op"`
	Field  string         `json:"field,omitempty"`
	Target string         `json:"target,omitempty"`
	Fact   string         `json:"fact"`
	Facts  map[int]string `json:"facts,omitempty"`
}

// process is a process that cannot be taken for another with the same pid.
type process struct {
	Pid       int    `json:"pid,omitempty"`
	StartTime uint64 `json:"startTime,omitempty"` // proc_pid_stat(5), field 22
}

// cgroupRecord is enough to find the cgroup again.
type cgroupRecord struct {
	Paths   map[string]string `json:"paths,omitempty"`
	Systemd bool              `json:"systemd,omitempty"` // it is a scope of systemd's
}

func (c *Container) dir() string { return filepath.Join(c.root.Dir, c.ID) }
func (c *Container) path(elem ...string) string {
	return filepath.Join(append([]string{c.dir()}, elem...)...)
}

// save writes the record.
func (c *Container) save() error {
	b, err := json.Marshal(c.rec)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := sys.WriteAtomic(c.path(recordFile), b, 0o600); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// load reads the record, if it is not what we have already.
func (c *Container) load() error {
	b, err := sys.ReadFile(c.path(recordFile))
	if err != nil {
		return err
	}
	if c.read != nil && bytes.Equal(b, c.read) {
		return nil
	}
	rec := &record{}
	if err := plainjson.Unmarshal(b, rec); err != nil {
		return fmt.Errorf("%s: %w", c.path(recordFile), err)
	}
	if rec.ID != c.ID {
		return fmt.Errorf("%s: is the record of %q", c.path(recordFile), rec.ID)
	}
	c.rec, c.read = rec, b
	return nil
}

// salvage is a record in place of one that cannot be read: the configuration
// beside it tells where the cgroup, and with it every process, has to be.
func (c *Container) salvage() *record {
	boot, _ := bootID() // needed for the processes that it does not know
	rec := &record{ID: c.ID, BootID: boot, Rootless: os.Geteuid() != 0}
	host, err := cgroups.Detect()
	if err != nil {
		return rec
	}
	path := ""
	if s, err := c.spec(); err == nil && s.Linux != nil {
		path = s.Linux.CgroupsPath
	}
	for _, systemd := range []bool{false, true} {
		cg, err := host.New(path, c.ID, cgroups.Options{Systemd: systemd, Rootless: rec.Rootless})
		if err == nil && anyExists(cg.Paths()) {
			rec.Cgroup = cgroupRecord{Paths: cg.Paths(), Systemd: systemd}
			break
		}
	}
	return rec
}

func anyExists(paths map[string]string) bool {
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

// Annotations are those of the configuration: config.md, Annotations.
func (c *Container) Annotations() map[string]string { return c.rec.Notes }

// spec is the configuration the container was created with.
func (c *Container) spec() (*specs.Spec, error) {
	if c.config != nil {
		return c.config, nil
	}
	b, err := sys.ReadFile(c.path(configFile))
	if err != nil {
		return nil, fmt.Errorf("container %s: %w", c.ID, err)
	}
	s := &specs.Spec{}
	if err := plainjson.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("container %s: %s: %w", c.ID, c.path(configFile), err)
	}
	c.config = s
	return s, nil
}

// lock lets one command at a time change the container. It ends with unlock.
func (c *Container) lock() (err error) {
	if c.held, err = lockDir(c.dir()); err != nil {
		return fmt.Errorf("container %s: %w", c.ID, ErrNotExist)
	}
	// Whoever held the lock before may have changed or removed it.
	if c.load() == nil {
		return nil
	}
	if _, err := os.Stat(c.dir()); err != nil {
		c.unlock()
		return fmt.Errorf("container %s: %w", c.ID, ErrNotExist)
	}
	return nil // damaged, which Load has noticed
}

// lockStatus is lock, and the status that stays until unlock as far as commands decide it.
func (c *Container) lockStatus() (specs.ContainerState, error) {
	if err := c.lock(); err != nil {
		return "", err
	}
	status, err := c.Status()
	if err != nil {
		c.unlock()
	}
	return status, err
}

func (c *Container) unlock() {
	if c.held != nil {
		c.held.Close()
		c.held = nil
	}
}

// lockDir opens and locks the directory. While it waited, the directory may have been
// removed and made again: a lock on the old one would keep nobody out.
func lockDir(dir string) (*os.File, error) {
	for {
		d, err := sys.Open(dir, os.O_RDONLY, 0)
		if err != nil {
			return nil, err
		}
		if err := sys.Lock(d); err != nil {
			d.Close()
			return nil, err
		}
		var held, there unix.Stat_t
		err = errors.Join(unix.Fstat(int(d.Fd()), &held), unix.Lstat(dir, &there))
		if err == nil && held.Dev == there.Dev && held.Ino == there.Ino {
			return d, nil
		}
		d.Close()
		if err != nil {
			return nil, err
		}
	}
}

// keepRelease records what start needs to know: the operations after b.hold.
func (c *Container) keepRelease(b *build) error {
	var list []released
	seen := false
	for i, o := range b.Ops() {
		if seen {
			list = append(list, released{uint32(i), o.Field, o.Target, o.Name, o.Facts})
		}
		seen = seen || o == b.hold
	}
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	c.rec.Release, c.rec.PlainStart = text, b.spec.Process != nil && plainStart(b.spec)
	return nil
}

// releases are the operations that keepRelease has recorded.
func (c *Container) releases() (list []released, err error) {
	if c.rec.Release != nil {
		err = json.Unmarshal(c.rec.Release, &list)
	}
	return list, err
}
