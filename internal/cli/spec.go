package cli

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	urfave "github.com/urfave/cli/v2"
)

// exampleSpec is the configuration that `hull spec` writes.
//
//go:embed spec.json
var exampleSpec []byte

func specCommand() *urfave.Command {
	return &urfave.Command{
		Name:  "spec",
		Usage: "write a config.json to start from",
		Flags: []urfave.Flag{
			bundleFlag(),
			&urfave.BoolFlag{Name: "rootless", Usage: "for the user that calls this, who need not be root"},
		},
		Action: spec,
	}
}

func spec(c *urfave.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	example := exampleSpec
	if c.Bool("rootless") {
		var err error
		if example, err = rootlessSpec(os.Geteuid(), os.Getegid()); err != nil {
			return err
		}
	}
	path := filepath.Join(c.String("bundle"), "config.json")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // it holds no secret
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists: move it away first", path)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(example)
	return errors.Join(err, file.Close())
}

// rootlessSpec is the example for the user uid and group gid, who become root
// in a user namespace of one id: what needs more ids, a network of one's own,
// or a writable cgroup is left out.
func rootlessSpec(uid, gid int) ([]byte, error) {
	s := &specs.Spec{}
	if err := json.Unmarshal(exampleSpec, s); err != nil {
		return nil, fmt.Errorf("the built-in example: %w", err)
	}
	// sysfs shows a network namespace, which is the host's here: only its owner may mount it
	s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool {
		return n.Type == specs.NetworkNamespace
	})
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	s.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(uid), Size: 1}} //nolint:gosec // an id
	s.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(gid), Size: 1}} //nolint:gosec // an id
	s.Linux.Resources = nil

	var mounts []specs.Mount
	for _, m := range s.Mounts {
		switch m.Destination {
		case "/sys/fs/cgroup":
			continue // comes with /sys
		case "/sys":
			m.Type, m.Source = "none", "/sys"
			m.Options = []string{"rbind", "nosuid", "noexec", "nodev", "ro"}
		}
		m.Options = slices.DeleteFunc(m.Options, func(o string) bool { return o == "gid=5" }) // not mapped
		mounts = append(mounts, m)
	}
	s.Mounts = mounts
	text, err := json.MarshalIndent(s, "", "\t")
	return append(text, '\n'), err
}
