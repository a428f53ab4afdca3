package cgroups

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// Host is how this machine, as seen from here, has its control groups mounted.
type Host struct {
	// V2 says that cgroup v2 carries the resource controllers. When it is
	// false and Mounts has a unified one, the host is what systemd calls hybrid.
	V2     bool
	Mounts []Mount

	own map[string]string // controller, or "" for v2, -> our own cgroup; read on demand
}

// Mount is one mounted hierarchy, cgroups(7).
type Mount struct {
	Dir         string   // the mount point
	Root        string   // the cgroup seen at Dir: "/" unless we are ourselves contained
	Controllers []string // v1: such as "cpu", "cpuacct", or "name=systemd"; v2: none
	Unified     bool     // cgroup v2
}

// known are the controllers that cgroup v1 has ever had in a released kernel:
// what tells them from the other words among a mount's options.
var known = []string{
	"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids",
	"net_cls", "net_prio", "perf_event", "hugetlb", "rdma", "misc",
}

// decisive are the controllers whose place, v1 or v2, makes a host one or the
// other. The rest do not tell: some VPN programs mount net_cls on a v2 host.
var decisive = []string{"cpu", "cpuset", "memory", "pids", "blkio"}

// Detect reads the hierarchies from /proc/self/mountinfo, proc_pid_mountinfo(5).
func Detect() (*Host, error) {
	text, err := readProc("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return detect(strings.NewReader(text), deviceAt)
}

// readProc reads a file of procfs: in few reads, since the kernel makes the
// text anew for each, and without asking for it to be polled. That is half of
// the time that os.ReadFile takes.
func readProc(path string) (string, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	text, err := readFrom(fd)
	if err != nil {
		return "", &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return text, nil
}

// deviceAt is the device number of whatever is to be seen at path, 0 if nothing.
func deviceAt(path string) uint64 {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return 0
	}
	return st.Dev
}

// detect picks one mount for each hierarchy: it must be visible (nothing else
// mounted over it, which the device number tells), and of several the one that
// shows most of the hierarchy, which is the one with the shortest root.
func detect(mounts io.Reader, device func(string) uint64) (*Host, error) {
	infos, err := mountinfo.GetMountsFromReader(mounts, mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	if err != nil {
		return nil, fmt.Errorf("cgroup mounts: %w", err)
	}
	h := &Host{V2: true}
	seen := map[uint64]int{}
	for _, info := range infos {
		dev := unix.Mkdev(uint32(info.Major), uint32(info.Minor)) //nolint:gosec // both come from the kernel
		if device(info.Mountpoint) != dev {
			continue
		}
		m := Mount{Dir: info.Mountpoint, Root: info.Root, Unified: info.FSType == "cgroup2"}
		if !m.Unified {
			m.Controllers = controllersOf(info.VFSOptions)
		}
		if i, ok := seen[dev]; !ok {
			seen[dev] = len(h.Mounts)
			h.Mounts = append(h.Mounts, m)
		} else if len(m.Root) < len(h.Mounts[i].Root) {
			h.Mounts[i] = m
		}
	}
	h.V2 = h.unified() != nil && !slices.ContainsFunc(h.Mounts, Mount.decides)
	return h, nil
}

func controllersOf(options string) []string {
	var list []string
	for word := range strings.SplitSeq(options, ",") {
		if slices.Contains(known, word) || strings.HasPrefix(word, "name=") {
			list = append(list, word)
		}
	}
	return list
}

func (m Mount) decides() bool {
	return slices.ContainsFunc(m.Controllers, func(c string) bool { return slices.Contains(decisive, c) })
}

// unified is the v2 mount, nil where there is none.
func (h *Host) unified() *Mount {
	i := slices.IndexFunc(h.Mounts, func(m Mount) bool { return m.Unified })
	if i < 0 {
		return nil
	}
	return &h.Mounts[i]
}

// ownCgroup is the cgroup that this process is in, as a path below m.Dir.
func (h *Host) ownCgroup(m Mount) (string, error) {
	if h.own == nil {
		text, err := readProc("/proc/self/cgroup")
		if err != nil {
			return "", err
		}
		h.own = parseOwn(text)
	}
	key := ""
	if !m.Unified && len(m.Controllers) > 0 {
		key = m.Controllers[0]
	}
	return m.below(h.own[key])
}

// below turns a cgroup as /proc/PID/cgroup names it into a path below m.Dir.
func (m Mount) below(cgroup string) (string, error) {
	below, inside := strings.CutPrefix(cgroup+"/", strings.TrimSuffix(m.Root, "/")+"/")
	if !inside {
		return "", fmt.Errorf("cgroup %q is not in the part of the hierarchy (%s) that is mounted at %s", cgroup, m.Root, m.Dir)
	}
	return "/" + strings.TrimSuffix(below, "/"), nil
}

// parseOwn reads /proc/PID/cgroup, cgroups(7): lines of hierarchy:controllers:path.
func parseOwn(text string) map[string]string {
	own := map[string]string{}
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			own[controller] = fields[2]
		}
	}
	return own
}
