package libcontainer

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/fail"
	"hull/internal/sys"
	"hull/specconv"
)

// writeMaps gives the user namespace of process pid its ids. user_namespaces(7).
//
// Root writes any map. An ordinary user may write one line that maps himself,
// once setgroups(2) is denied; more needs newuidmap(1) and newgidmap(1).
func writeMaps(pid int, l *specs.Linux) error {
	if os.Geteuid() != 0 {
		return writeMapsRootless(pid, l)
	}
	if err := writeMap(pid, "uid_map", "linux.uidMappings", l.UIDMappings); err != nil {
		return err
	}
	return writeMap(pid, "gid_map", "linux.gidMappings", l.GIDMappings)
}

func writeMap(pid int, file, field string, m []specs.LinuxIDMapping) error {
	if err := sys.WriteProc(strconv.Itoa(pid)+"/"+file, []byte(specconv.IDMap(m))); err != nil {
		return fmt.Errorf("%s: write %s: %w", field, file, sys.Bare(err))
	}
	return nil
}

func writeMapsRootless(pid int, l *specs.Linux) error {
	if onlySelf(l.GIDMappings, os.Getegid()) {
		if err := sys.WriteProc(strconv.Itoa(pid)+"/setgroups", []byte("deny")); err != nil {
			return fmt.Errorf("linux.gidMappings: deny setgroups: %w", sys.Bare(err))
		}
		if err := writeMap(pid, "gid_map", "linux.gidMappings", l.GIDMappings); err != nil {
			return err
		}
	} else if err := newidmap("newgidmap", "linux.gidMappings", pid, l.GIDMappings); err != nil {
		return err
	}
	if onlySelf(l.UIDMappings, os.Geteuid()) {
		return writeMap(pid, "uid_map", "linux.uidMappings", l.UIDMappings)
	}
	return newidmap("newuidmap", "linux.uidMappings", pid, l.UIDMappings)
}

func onlySelf(m []specs.LinuxIDMapping, id int) bool {
	return len(m) == 1 && m[0].Size == 1 && int(m[0].HostID) == id
}

// newidmap runs newuidmap(1) or newgidmap(1), which check /etc/subuid or /etc/subgid.
func newidmap(name, field string, pid int, m []specs.LinuxIDMapping) error {
	args := []string{strconv.Itoa(pid)}
	for _, e := range m {
		for _, v := range []uint32{e.ContainerID, e.HostID, e.Size} {
			args = append(args, strconv.FormatUint(uint64(v), 10))
		}
	}
	path, err := hostProgram(name)
	if err != nil {
		return fmt.Errorf("%s: more ids than one's own need %s (package uidmap): %w", field, name, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %s: %w: %s", field, name, err, bytes.TrimSpace(out))
	}
	return nil
}

// hostProgram finds a program of the host without asking the environment: no
// caller, and no container, chooses what runs with our rights (CVE-2026-84042).
func hostProgram(name string) (string, error) {
	if fail.Off("host programs") {
		return exec.LookPath(name)
	}
	for _, dir := range []string{"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/"} {
		if st, err := os.Stat(dir + name); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return dir + name, nil
		}
	}
	return "", exec.ErrNotFound
}
