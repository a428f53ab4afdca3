package libcontainer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"hull/internal/fail"
	"hull/internal/sys"
	"hull/specconv"
)

// verifyRestored refuses processes that may do more than the bundle allows: what criu
// gave them is what the images say, and whoever has written those
// (CVE-2026-92574, CVE-2026-95837, CVE-2026-53492). Nothing has run yet.
func (b *build) verifyRestored(criu int) error {
	if fail.Off("verify restored") {
		return nil
	}
	pids, err := b.cg.Pids()
	if err != nil {
		return err
	}
	if !slices.Contains(pids, b.c.Init.Pid) {
		pids = append(pids, b.c.Init.Pid)
	}
	for _, pid := range pids {
		if pid == criu {
			continue
		}
		if err := b.verifyProcess(pid); err != nil {
			return fmt.Errorf("the images do not fit the bundle: process %d: %w", pid, err)
		}
	}
	if err := b.verifyMounts(); err != nil {
		return fmt.Errorf("the images do not fit the bundle: %w", err)
	}
	return nil
}

// verifyProcess holds one process to what no process of the container can ever get rid of.
func (b *build) verifyProcess(pid int) error {
	p := b.process
	status := func(field string) string {
		v, err := sys.ProcStatus(pid, field)
		if err != nil {
			return "unknown: " + err.Error()
		}
		return v
	}
	if v := status("NoNewPrivs"); p.NoNewPrivileges && v != "1" {
		return fmt.Errorf("process.noNewPrivileges: it is %s", v)
	}
	if v := status("Seccomp"); b.spec.Linux != nil && b.spec.Linux.Seccomp != nil && v != "2" {
		return fmt.Errorf("linux.seccomp: its mode is %s", v)
	}
	bounding, err := strconv.ParseUint(status("CapBnd"), 16, 64)
	if err != nil {
		return fmt.Errorf("process.capabilities.bounding: %w", err)
	}
	if extra := bounding &^ b.bounding(); extra != 0 {
		return fmt.Errorf("process.capabilities.bounding: it has %#x besides", extra)
	}
	if p.ApparmorProfile == "" {
		return nil
	}
	label, err := sys.ReadProc(strconv.Itoa(pid) + "/attr/apparmor/current")
	if name, _, _ := bytes.Cut(bytes.TrimSpace(label), []byte(" (")); err != nil || string(name) != p.ApparmorProfile {
		return fmt.Errorf("process.apparmorProfile: it is %q", name)
	}
	return nil
}

func (b *build) bounding() uint64 {
	if b.process.Capabilities == nil {
		return 0
	}
	mask, _ := specconv.Capabilities(b.process.Capabilities.Bounding)
	return mask
}

// verifyMounts refuses mounts that the bundle does not name, unless the container
// could have made them itself.
func (b *build) verifyMounts() error {
	if b.bounding()&(1<<unix.CAP_SYS_ADMIN) != 0 || !b.ns.new(unix.CLONE_NEWNS) {
		return nil
	}
	table, err := mountTable(b.c.Init.Pid)
	if err != nil {
		return err
	}
	known, err := b.knownMounts()
	if err != nil {
		return err
	}
	for _, m := range table {
		if !known.has(m) {
			return fmt.Errorf("mounts: there is a %s at %s", m.FSType, m.Mountpoint)
		}
	}
	return nil
}

// places are where mounts may be: by mount point the type of the file system, where it is known.
type places struct {
	types map[string]string
	trees []string // may have mounts below
}

func (p *places) has(m *mountinfo.Info) bool {
	if fstype, ok := p.types[m.Mountpoint]; ok {
		return fstype == "" || fstype == m.FSType
	}
	return slices.ContainsFunc(p.trees, func(tree string) bool { return strings.HasPrefix(m.Mountpoint, tree+"/") })
}

// knownMounts are the places where the bundle has mounts.
func (b *build) knownMounts() (*places, error) {
	root, err := os.OpenFile(b.rootfs, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	known := &places{types: map[string]string{"/": "", "/dev/console": ""}}
	for i := range b.spec.Mounts {
		m := &b.spec.Mounts[i]
		low, err := specconv.LowerMount(m)
		if err != nil {
			return nil, err
		}
		place, err := placeIn(root, b.rootfs, low.Destination)
		if err != nil {
			return nil, err
		}
		fstype := m.Type
		if low.Bind || m.Type == "cgroup" {
			fstype = ""
		}
		known.types[place] = fstype
		if low.Recursive || m.Type == "cgroup" {
			known.trees = append(known.trees, place)
		}
	}
	for _, path := range slices.Concat(b.spec.Linux.MaskedPaths, b.spec.Linux.ReadonlyPaths) {
		known.types[filepath.Clean(path)] = ""
	}
	return known, nil
}
