package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"hull/internal/sys"
	"hull/libcontainer"
)

func globalFlags() []urfave.Flag {
	return []urfave.Flag{
		&urfave.StringFlag{Name: "root", Usage: "keep containers' state in `DIR`", DefaultText: "/run/hull, or $XDG_RUNTIME_DIR/hull for an ordinary user"},
		&urfave.StringFlag{Name: "log", Usage: "append errors and warnings to `FILE`"},
		&urfave.StringFlag{Name: "log-format", Usage: "write the log as text or json", Value: "text"},
		&urfave.StringFlag{Name: "log-level", Usage: "log from this level on: debug, info, warning or error", DefaultText: "warning on standard error, error in a file"},
		&urfave.BoolFlag{Name: "debug", Usage: "the same as --log-level debug"},
		&urfave.BoolFlag{Name: "systemd-cgroup", Usage: "let systemd make the cgroup of a new container; linux.cgroupsPath is slice:prefix:name"},
		&urfave.StringFlag{Name: "trace", Usage: "write when each phase began and ended to `FILE`, as Chrome trace events; - prints a table"},
		&urfave.StringFlag{Name: "rootless", Usage: "do without privileges: true, false or auto", Value: "auto"},
	}
}

func applyGlobalFlags(c *urfave.Context) error {
	if err := openLog(c); err != nil {
		return err
	}
	if v := c.String("rootless"); v != "auto" && v != "true" && v != "false" {
		return fmt.Errorf("--rootless %q: must be true, false or auto", v)
	}
	return beginTrace(c)
}

// rootless says whether hull must do without the privileges of root.
func rootless(c *urfave.Context) bool {
	if v := c.String("rootless"); v != "auto" {
		return v == "true"
	}
	return os.Geteuid() != 0 || inUserNamespace()
}

// inUserNamespace says whether our user namespace is not the first one, which maps every id to itself.
func inUserNamespace() bool {
	ids, err := sys.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(ids)), " ") != "0 0 4294967295"
}

// openRoot opens the state root.
func openRoot(c *urfave.Context) (*libcontainer.Root, error) {
	dir := c.String("root")
	if dir != "" {
		return libcontainer.OpenRoot(dir)
	}
	if c.IsSet("root") {
		return nil, errors.New("--root: the directory's name is empty")
	}
	dir = "/run/hull"
	runtimeDir := os.Getenv("XDG_RUNTIME_DIR")
	if !usersOwn() {
		return libcontainer.OpenRoot(dir)
	}
	if runtimeDir == "" {
		return nil, errors.New("XDG_RUNTIME_DIR is not set: an ordinary user must say where to keep state with --root")
	}
	root, err := libcontainer.OpenRoot(filepath.Join(runtimeDir, "hull"))
	if err == nil {
		// The sticky bit keeps cleaners of temporary files away: XDG Base
		// Directory Specification, XDG_RUNTIME_DIR.
		err = os.Chmod(root.Dir, 0o700|os.ModeSticky)
	}
	return root, err
}

// usersOwn says whether state belongs into the user's runtime directory: for
// ordinary users, and for those who only look like root in a user namespace.
// Podman, which does that for everybody but root, passes no USER on.
func usersOwn() bool {
	if os.Geteuid() != 0 {
		return true
	}
	return os.Getenv("XDG_RUNTIME_DIR") != "" && os.Getenv("USER") != "root" && inUserNamespace()
}

// load finds the container that the command's only operand names.
func load(c *urfave.Context) (*libcontainer.Container, error) {
	id, err := operand(c)
	if err != nil {
		return nil, err
	}
	return find(c, id)
}

// find finds the container id.
func find(c *urfave.Context, id string) (*libcontainer.Container, error) {
	root, err := openRoot(c)
	if err != nil {
		return nil, err
	}
	return root.Load(id)
}
