package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/tests/image"
)

// The ordinary user of these tests, and the ids that subuid(5) gives to it.
const (
	userName = "hull-test"
	userID   = 61234
	subID    = 700000
)

// asUser is a script that becomes the user, in a mount namespace where the user exists.
const asUser = `
for f in passwd group subuid subgid; do mount --bind "$ETC/$f" "/etc/$f" || exit 99; done
exec setpriv --reuid 61234 --regid 61234 --clear-groups -- "$@"`

// ordinary is a box whose hull is run by the user, with the ids of subuid(5) or without any.
func ordinary(t *testing.T, subids bool, edits ...edit) *box {
	t.Helper()
	needRoot(t, "it makes a user")
	for _, program := range []string{"setpriv", "unshare", "newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%v: install util-linux and uidmap", err)
		}
	}
	b := newBox(t, func(s *specs.Spec) {
		s.Linux.CgroupsPath, s.Linux.Resources = "", nil
		namespace(specs.UserNamespace, "")(s)
		mapped(subids)(s)
	})
	b.edit(edits...)
	b.global = nil // this user has no systemd
	etc := b.path("etc")
	entry := fmt.Sprintf("%s:%d:65536\n", userName, subID)
	if !subids {
		entry = ""
	}
	b.file("etc/subuid", entry)
	b.file("etc/subgid", entry)
	b.file("etc/passwd", b.read("/etc/passwd")+fmt.Sprintf("%s:x:%d:%d::/:/bin/sh\n", userName, userID, userID))
	b.file("etc/group", b.read("/etc/group")+fmt.Sprintf("%s:x:%d:\n", userName, userID))
	b.binary = b.path("hull") // the working tree may be out of the user's reach
	b.check(image.Copy(hullPath, b.binary, 0o755))
	b.wrapper = []string{"unshare", "-m", "env", "ETC=" + etc, "XDG_RUNTIME_DIR=" + b.path("run"), "sh", b.file("as-user", asUser)}
	b.check(os.Mkdir(b.path("run"), 0o700))
	b.own(b.dir, b.path("run"), b.bundle, b.rootfs, b.rootfs+"/tmp", b.rootfs+"/dev", b.rootfs+"/proc", b.rootfs+"/sys", b.rootfs+"/mnt")
	return b
}

// own makes the files the user's.
func (b *box) own(paths ...string) {
	b.t.Helper()
	for _, path := range paths {
		b.check(os.Lchown(path, userID, userID))
	}
}

// mapped maps root to the user, and with ranges the ids from 1 on to those of subuid(5).
func mapped(ranges bool) edit {
	return func(s *specs.Spec) {
		ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: userID, Size: 1}}
		if ranges {
			ids = append(ids, specs.LinuxIDMapping{ContainerID: 1, HostID: subID, Size: 65535})
		}
		s.Linux.UIDMappings, s.Linux.GIDMappings = ids, ids
	}
}

func TestOrdinaryUserWithoutRangesIsRootInside(t *testing.T) {
	b := ordinary(t, false, shell("probe; echo x > /tmp/made"))
	r := parseReport(t, b.mustRun())
	if r.UIDs[0] != 0 || r.GIDs[0] != 0 || r.Hostname != "box" {
		t.Errorf("uid %d, gid %d, hostname %s", r.UIDs[0], r.GIDs[0], r.Hostname)
	}
	for file, want := range map[string]string{"uid_map": "0 61234 1", "gid_map": "0 61234 1", "setgroups": "deny"} {
		if got := strings.Join(strings.Fields(r.Files["/proc/self/"+file]), " "); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
	r.wantCaps(map[string][]string{"CapBnd": someCaps, "CapEff": someCaps, "CapPrm": someCaps})
	for _, ns := range []string{"mnt", "pid", "net", "ipc", "uts", "user"} {
		if r.NS[ns] == hostNamespace(t, ns) {
			t.Errorf("the %s namespace is the host's", ns)
		}
	}
	b.wantOwner(b.rootfs+"/tmp/made", userID)
	b.wantNothingLeft()
}

func (b *box) wantOwner(path string, uid uint32) {
	b.t.Helper()
	var st unix.Stat_t
	b.check(unix.Lstat(path, &st))
	if st.Uid != uid {
		b.t.Errorf("%s belongs to %d, want %d", path, st.Uid, uid)
	}
}

func TestOrdinaryUserWithRangesHasManyIds(t *testing.T) {
	b := ordinary(t, true, user(1000, 1001, 20), shell("probe; echo x > /tmp/made"))
	r := parseReport(t, b.mustRun())
	if got := fmt.Sprint(r.UIDs[0], r.GIDs[0], r.Groups); got != "1000 1001 [20]" {
		t.Errorf("the ids are %s", got)
	}
	if got := strings.Join(strings.Fields(r.Files["/proc/self/uid_map"]), " "); got != "0 61234 1 1 700000 65535" {
		t.Errorf("the map is %s", got)
	}
	b.wantOwner(b.rootfs+"/tmp/made", subID+999)
}

func TestOrdinaryUserHasTheDefaultDevices(t *testing.T) {
	b := ordinary(t, false, runProbe("open", "/dev/null", "+", ",", "open", "/dev/ptmx", "+", ",", "mknod", "/dev/x", "c", "1", "3", ",", "report"))
	out := b.mustRun()
	if !strings.HasPrefix(out, "open /dev/null +: ok\nopen /dev/ptmx +: ok\nmknod /dev/x c 1 3: EPERM\n") {
		t.Errorf("got %.200s", out)
	}
}

func TestOrdinaryUsersContainerGoesThroughItsLife(t *testing.T) {
	for _, ranges := range []bool{false, true} {
		b := ordinary(t, ranges, runProbe("trap", "10", ",", "say", "ready", ",", "pause"))
		l := b.create()
		b.wantStatus("created")
		b.must("start", b.id)
		l.want("ready")
		if s := b.state(); s.Status != "running" || s.Owner != userName {
			t.Errorf("the state is %+v", s)
		}
		r := b.execReport()
		if r.UIDs[0] != 0 || r.PPID != 0 {
			t.Errorf("exec has uid %d and parent %d", r.UIDs[0], r.PPID)
		}
		r.wantCaps(map[string][]string{"CapBnd": someCaps, "CapEff": someCaps, "CapPrm": someCaps})
		b.must("kill", b.id, "USR1")
		l.want("signal 10")
		if out := b.must("list", "-q").stdout; out != b.id+"\n" {
			t.Errorf("the list is %q", out)
		}
		b.must("kill", b.id, "KILL")
		b.waitStopped()
		b.must("delete", b.id)
		b.wantNothingLeft()
	}
}

func TestOrdinaryUserIsToldWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		edits []edit
		words []string
	}{
		"no user namespace": {[]edit{withoutNamespace(specs.UserNamespace), func(s *specs.Spec) { s.Linux.UIDMappings, s.Linux.GIDMappings = nil, nil }}, []string{"user namespace"}},
		"too many ids":      {[]edit{mapped(true)}, []string{"linux.gidMappings", "newgidmap", "not allowed"}},
		"another's id":      {[]edit{func(s *specs.Spec) { s.Linux.UIDMappings = []specs.LinuxIDMapping{{Size: 1}} }}, []string{"linux.uidMappings", "newuidmap", "not allowed"}},
		"a mount's ids": {[]edit{bind("/usr"), func(s *specs.Spec) {
			s.Mounts[len(s.Mounts)-1].UIDMappings, s.Mounts[len(s.Mounts)-1].GIDMappings = s.Linux.UIDMappings, s.Linux.GIDMappings
		}}, []string{"mounts[5]", "only root can map ids"}},
		"groups": {[]edit{func(s *specs.Spec) { s.Process.User.AdditionalGids = []uint32{0} }}, []string{"process.user.additionalGids", "setgroups"}},
		"limits": {[]edit{func(s *specs.Spec) {
			s.Linux.Resources = &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(10))}}
		}}, []string{"linux.resources.pids"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := ordinary(t, false, c.edits...)
			b.run().expect(b, 1, c.words...)
			b.wantNothingLeft()
		})
	}
}

func TestOrdinaryUsersSpecRuns(t *testing.T) {
	needCreate(t)
	needCall(t, "pidfd_open")
	b := ordinary(t, false)
	b.check(os.Remove(filepath.Join(b.bundle, "config.json")))
	b.must("spec", "--rootless", "--bundle", b.bundle)
	tm, cmd := b.onTerminal("run", "--bundle", b.bundle, b.id) // it asks for a terminal, and for sh
	tm.enter("probe say here\nexit 5\n")
	if out := tm.drain(); !strings.Contains(out, "\nhere\r\n") {
		t.Errorf("the terminal shows %q", out)
	}
	if code := b.exitCode(cmd.Wait()); code != 5 {
		t.Errorf("exit code %d, want 5", code)
	}
	b.wantNothingLeft()
}

func TestOrdinaryUsersStateIsBelowTheRuntimeDirectory(t *testing.T) {
	b := ordinary(t, false, runProbe("say", "ready", ",", "pause"))
	line := append(append([]string{}, b.wrapper...), b.binary, "run", "--detach", "--bundle", b.bundle, b.id)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir, cmd.Env = b.dir, append(os.Environ(), markerName+"="+b.id)
	b.finish(t.Context(), cmd).expect(b, 0)
	b.root = b.path("run", "hull")
	b.wantStatus("running")
	var st syscall.Stat_t
	b.check(syscall.Stat(b.root, &st))
	if st.Mode&0o077 != 0 || st.Uid != userID {
		t.Errorf("the state root has the mode %04o and belongs to %d", st.Mode&0o7777, st.Uid)
	}
}

// Podman makes the user root in a user namespace first, and then runs hull with next to no environment.
func TestRootOfAUserNamespaceKeepsStateInTheRuntimeDirectory(t *testing.T) {
	b := ordinary(t, true)
	line := append(append([]string{}, b.wrapper...), "unshare", "--user", "--map-root-user", "env", "-u", "USER", b.binary, "list", "-q")
	b.finish(t.Context(), exec.Command(line[0], line[1:]...)).expect(b, 0)
	if _, err := os.Stat(b.path("run", "hull")); err != nil {
		t.Error(err)
	}
}

func TestRootOfAUserNamespaceNeedsNoOther(t *testing.T) {
	b := ordinary(t, true, withoutNamespace(specs.UserNamespace), runProbe("report", ",", "pause"),
		func(s *specs.Spec) { s.Linux.UIDMappings, s.Linux.GIDMappings = nil, nil })
	b.wrapper = append(b.wrapper, "unshare", "--user", "--map-root-user", "env", "-u", "USER")
	r := b.live("run", "--bundle", b.bundle, b.id)
	if got := parseReport(t, r.line()); got.UIDs[0] != 0 || got.PID != 1 {
		t.Errorf("uid %d, pid %d", got.UIDs[0], got.PID)
	}
	b.wrapper = b.wrapper[:len(b.wrapper)-6]
	b.must("kill", b.id, "KILL")
	r.wait().expect(b, 137)
}

func TestOrdinaryUserCannotReachRootsContainers(t *testing.T) {
	theirs := running(t)
	b := ordinary(t, false)
	b.root = theirs.root
	b.refuse(1, []string{"state root"}, "state", theirs.id)
	b.refuse(1, []string{"state root"}, "kill", theirs.id, "KILL")
	b.root = b.path("root")
	theirs.wantStatus("running")
}

// It has no cgroup of its own: what there is to be seen is hull's.
func TestOrdinaryUsersContainerSeesCgroupsAndNothingElse(t *testing.T) {
	b := ordinary(t, true, mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro"), shell(`
		cd /sys/fs/cgroup
		for d in $([ -e cgroup.procs ] && echo . || echo *); do
			[ -e $d/cgroup.procs ] || { echo "$d is no cgroup:"; ls $d; }
		done`))
	if out := b.mustRun(); out != "" {
		t.Errorf("below /sys/fs/cgroup: %s", out)
	}
}
