package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// The bundles, all with one root file system.
const (
	plain  = "plain"  // /bin/true, runc's default configuration
	docker = "docker" // /bin/true, as Docker configures a container by default
	sleeps = "sleeps" // the same as plain, and stays
	tight  = "tight"  // the same as plain, with limits that a measurement sets
)

func (h *house) bundle(name string) string { return filepath.Join(h.dir, name) }

func (h *house) rootfs() string { return filepath.Join(h.dir, "rootfs") }

// makeBundles makes the root file system and the bundles.
func (h *house) makeBundles() error {
	for _, dir := range []string{"bin", "dev", "etc", "proc", "sys", "tmp"} {
		if err := os.MkdirAll(filepath.Join(h.rootfs(), dir), 0o755); err != nil {
			return err
		}
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return fmt.Errorf("%w: install busybox-static", err)
	}
	data, err := os.ReadFile(busybox)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"bin/busybox": string(data), "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(h.rootfs(), name), []byte(text), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"true", "sleep"} {
		if err := os.Symlink("busybox", filepath.Join(h.rootfs(), "bin", name)); err != nil {
			return err
		}
	}
	for _, name := range []string{plain, sleeps, tight} {
		args := []string{"/bin/true"}
		if name == sleeps {
			args = []string{"/bin/sleep", "1000000"}
		}
		if err := h.writeBundle(name, func(s *specs.Spec) { s.Process.Args = args }); err != nil {
			return err
		}
	}
	return h.dockerBundle()
}

// defaultSpec is what `runc spec` writes, in a version of the specification that all of the runtimes accept.
func defaultSpec() (*specs.Spec, error) {
	dir, err := os.MkdirTemp("", "spec")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("runc", "spec", "--bundle", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("runc spec: %w: %s", err, out)
	}
	return readSpec(filepath.Join(dir, "config.json"))
}

func readSpec(path string) (*specs.Spec, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &specs.Spec{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.Version = "1.0.2"
	return s, nil
}

// writeBundle writes a bundle with the default configuration as edited.
func (h *house) writeBundle(name string, edit func(*specs.Spec)) error {
	s, err := defaultSpec()
	if err != nil {
		return err
	}
	s.Process.Terminal = false
	s.Root.Path = h.rootfs()
	edit(s)
	return h.write(name, s)
}

func (h *house) write(name string, s *specs.Spec) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.bundle(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(h.bundle(name), "config.json"), data, 0o644)
}

// dockerBundle is a bundle with a configuration of Docker's. What needs a
// daemon that listens, or a security module, is taken out.
func (h *house) dockerBundle() error {
	s, err := readSpec("tests/testdata/engines/docker-default/config.json")
	if err != nil {
		return err
	}
	s.Process.Args = []string{"/bin/true"}
	s.Root.Path = h.rootfs()
	s.Hooks = nil
	s.Linux.CgroupsPath = "" // each container its own
	s.Process.ApparmorProfile = ""
	for i, m := range s.Mounts {
		if m.Type == "bind" { // resolv.conf and the like
			path := filepath.Join(h.dir, filepath.Base(m.Destination))
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				return err
			}
			s.Mounts[i].Source = path
		}
	}
	return h.write(docker, s)
}
