package tests

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/tests/proc"
)

// kinds are the namespace types and their names in /proc/PID/ns.
var kinds = map[specs.LinuxNamespaceType]string{
	specs.PIDNamespace: "pid", specs.NetworkNamespace: "net", specs.IPCNamespace: "ipc", specs.UTSNamespace: "uts",
	specs.MountNamespace: "mnt", specs.UserNamespace: "user", specs.CgroupNamespace: "cgroup", specs.TimeNamespace: "time",
}

func hostNamespace(t testing.TB, name string) string {
	t.Helper()
	link, err := os.Readlink("/proc/self/ns/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func TestEveryNamespaceIsNewOrTheHostsAsAsked(t *testing.T) {
	needRoot(t, "the host's processes are seen in a procfs of the host's user namespace")
	for kind, name := range kinds {
		if kind == specs.MountNamespace { // never the host's: see TestMountNamespaceIsRequired
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			own := namespace(kind, "")
			if kind == specs.UserNamespace {
				own = userNamespace(200000)
			}
			if got := newBox(t, own).report().NS[name]; got == hostNamespace(t, name) || got == "" {
				t.Errorf("asked for a new one, the container has the host's: %q", got)
			}
			hosts := withoutNamespace(kind)
			if kind == specs.UTSNamespace {
				hosts = all(hosts, func(s *specs.Spec) { s.Hostname = "" })
			}
			if got := newBox(t, hosts).report().NS[name]; got != hostNamespace(t, name) {
				t.Errorf("asked for the host's, the container has %q", got)
			}
		})
	}
}

func TestEveryNamespaceCanBeJoinedByPath(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	other := newBox(t, userNamespace(200000), namespace(specs.CgroupNamespace, ""), namespace(specs.TimeNamespace, ""), runProbe("report", ",", "pause"))
	init := parseReport(t, other.start().line())
	pid := other.state().Pid
	for kind, name := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			path := fmt.Sprintf("/proc/%d/ns/%s", pid, name)
			edits := []edit{namespace(kind, path)}
			switch kind {
			case specs.UTSNamespace:
				edits = append(edits, func(s *specs.Spec) { s.Hostname = "" })
			case specs.MountNamespace:
				return // see TestMountNamespaceCanBeJoinedByPath
			}
			b := newBox(t, edits...)
			if got := b.report().NS[name]; got != init.NS[name] {
				t.Errorf("the container has %q, want %q", got, init.NS[name])
			}
		})
	}
}

// The root file system has to be there in the namespace that is joined, so it cannot be another container's.
func TestMountNamespaceCanBeJoinedByPath(t *testing.T) {
	needRoot(t, "it makes namespaces outside a user namespace")
	b := newBox(t)
	holder := exec.Command("sleep", "1000")
	holder.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	b.check(holder.Start())
	defer func() { holder.Process.Kill(); holder.Wait() }()
	path := fmt.Sprintf("/proc/%d/ns/mnt", holder.Process.Pid)
	want, err := os.Readlink(path)
	b.check(err)
	if got := b.edit(namespace(specs.MountNamespace, path)).report().NS["mnt"]; got != want {
		t.Errorf("the container has %q, want %q", got, want)
	}
}

func TestSeveralNamespacesOfAUserNamespaceCanBeJoined(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	other := newBox(t, userNamespace(200000), runProbe("report", ",", "pause"))
	init := parseReport(t, other.start().line())
	pid := other.state().Pid
	b := newBox(t)
	for _, kind := range []specs.LinuxNamespaceType{specs.NetworkNamespace, specs.IPCNamespace, specs.UserNamespace, specs.PIDNamespace} {
		b.edit(namespace(kind, fmt.Sprintf("/proc/%d/ns/%s", pid, kinds[kind])))
	}
	r := b.report()
	for _, name := range []string{"net", "ipc", "user", "pid"} {
		if r.NS[name] != init.NS[name] {
			t.Errorf("%s: %q, want %q", name, r.NS[name], init.NS[name])
		}
	}
	if r.Files["/proc/self/uid_map"] != init.Files["/proc/self/uid_map"] || !strings.Contains(r.Files["/proc/self/uid_map"], "200000") {
		t.Errorf("the map is %q", r.Files["/proc/self/uid_map"])
	}
}

func TestUserNamespaceHasTheMaps(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	b := newBox(t, userNamespace(200000), func(s *specs.Spec) {
		s.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 10}, {ContainerID: 1000, HostID: 300000, Size: 5}}
		s.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: 400000, Size: 100}, {ContainerID: 1000, HostID: 500000, Size: 1}}
	}, user(1000, 1000, 50))
	r := b.report()
	for file, want := range map[string]string{
		"/proc/self/uid_map":   "0 200000 10 1000 300000 5",
		"/proc/self/gid_map":   "0 400000 100 1000 500000 1",
		"/proc/self/setgroups": "allow",
	} {
		if got := strings.Join(strings.Fields(r.Files[file]), " "); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
	if got := fmt.Sprint(r.UIDs, r.GIDs, r.Groups); got != "[1000 1000 1000] [1000 1000 1000] [50]" {
		t.Errorf("the ids are %s", got)
	}
}

func TestRootOfAUserNamespaceIsTheMappedUserOutside(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	b := running(t, userNamespace(200000))
	status := b.read(fmt.Sprintf("/proc/%d/status", b.state().Pid))
	if uid, gid := proc.Field(status, "Uid"), proc.Field(status, "Gid"); uid != "200000\t200000\t200000\t200000" || gid != "200000\t200000\t200000\t200000" {
		t.Errorf("outside, the process is %q, %q", uid, gid)
	}
	r := b.execReport()
	r.wantCaps(map[string][]string{"CapBnd": someCaps, "CapEff": someCaps, "CapPrm": someCaps})
	if n := r.Dev["null"]; n.UID != 65534 && n.UID != 0 {
		t.Errorf("/dev/null is %v", n)
	}
	for _, dir := range []string{"/proc", "/sys", "/dev", "/dev/pts", "/dev/shm"} {
		if r.mount(dir) == nil {
			t.Errorf("%s is not mounted", dir)
		}
	}
}

func TestUserNamespaceDoesNotGiveAwayTheHost(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	b := newBox(t, userNamespace(200000), privileged, runProbe(
		"mknod", "/tmp/node", "b", "8", "0", ",", "write", "/proc/sys/kernel/panic", "1", ",", "open", "/proc/kcore", "r"))
	out := b.mustRun()
	for _, line := range []string{"mknod /tmp/node b 8 0: EPERM", "write /proc/sys/kernel/panic 1: E", "open /proc/kcore r: E"} {
		if !strings.Contains(out, line) {
			t.Errorf("want %q in\n%s", line, out)
		}
	}
}

func TestPidNamespaceHidesTheHostsProcesses(t *testing.T) {
	out := newBox(t, shell("for p in /proc/[0-9]*; do echo $p; done")).mustRun()
	if n := strings.Count(out, "/proc/"); n > 2 {
		t.Errorf("%d processes are seen:\n%s", n, out)
	}
}

func TestNetworkNamespaceHasNothingButLoopback(t *testing.T) {
	r := newBox(t).report("/proc/net/dev", "/sys/class/net/lo/flags")
	if got := r.Files["/sys/class/net/lo/flags"]; got != "0x9\n" {
		t.Errorf("the flags of lo are %q, want IFF_UP and IFF_LOOPBACK, 0x9", got)
	}
	if got := r.Files["/proc/net/dev"]; strings.Count(got, ":") != 1 || !strings.Contains(got, "lo:") {
		t.Errorf("the interfaces are\n%s", got)
	}
}

func TestCgroupNamespaceHasTheContainersCgroupAsRoot(t *testing.T) {
	r := newBox(t, namespace(specs.CgroupNamespace, "")).report()
	for line := range strings.Lines(r.Files["/proc/self/cgroup"]) {
		if f := strings.SplitN(strings.TrimSpace(line), ":", 3); f[2] != "/" && f[0] != "0" {
			t.Errorf("the process sees itself in %q", line)
		}
	}
}

func TestContainersWithoutPidNamespaceSeeTheHostsPids(t *testing.T) {
	needRoot(t, "the host's processes are seen in a procfs of the host's user namespace")
	r := newBox(t, withoutNamespace(specs.PIDNamespace)).report()
	if r.PID == 1 {
		t.Error("the process is number 1")
	}
}
