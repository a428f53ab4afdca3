package tests

import (
	"os"
	"os/exec"
	"strings"
)

// underSystemd says that the containers' cgroups are to be made by systemd:
// HULL_CGROUP_MANAGER=systemd runs all tests so, on a host that systemd runs.
var underSystemd = os.Getenv("HULL_CGROUP_MANAGER") == "systemd"

// cgroupsPath is linux.cgroupsPath for the container id.
func cgroupsPath(id string) string {
	if underSystemd {
		return ":hull:" + id
	}
	return "/" + id
}

// cgroupBelow is where the container's cgroup is below the mount of a hierarchy.
func cgroupBelow(path string) string {
	if parts := strings.Split(path, ":"); len(parts) == 3 {
		slice := parts[0]
		if slice == "" {
			slice = "system.slice"
		}
		return "/" + slice + "/" + parts[1] + "-" + parts[2] + ".scope"
	}
	return path
}

// units are the box's units that systemd still knows.
func (b *box) units() []string {
	b.t.Helper()
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil
	}
	out, err := exec.Command("systemctl", "list-units", "--all", "--no-legend", "--plain", "*"+b.id+"*").Output()
	b.check(err)
	var list []string
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			list = append(list, fields[0])
		}
	}
	return list
}
