package tests

import (
	"fmt"
	"os"
	"path/filepath"
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
	return filepath.Join("/", delegated(), id)
}

// cgroupBelow is where the container's cgroup is below the mount of a hierarchy.
func cgroupBelow(path string) string {
	if parts := strings.Split(path, ":"); len(parts) == 3 {
		slice := "/" + parts[0]
		switch {
		case slice == "/" && byUser:
			service := fmt.Sprintf("user@%d.service", os.Getuid())
			above, _, _ := strings.Cut(delegated(), service)
			slice = above + service + "/user.slice"
		case slice == "/":
			slice = "/system.slice"
		}
		return slice + "/" + parts[1] + "-" + parts[2] + ".scope"
	}
	return path
}

// units are the box's units that systemd still knows: it keeps a file of each
// transient one for as long as that is loaded. (Asking it costs more time than the
// rest of many a test.)
func (b *box) units() []string {
	b.t.Helper()
	var list []string
	for _, dir := range []string{"/run", os.Getenv("XDG_RUNTIME_DIR")} {
		units, err := filepath.Glob(filepath.Join(dir, "systemd/transient", "*"+b.id+"*"))
		b.check(err)
		list = append(list, units...)
	}
	return list
}
