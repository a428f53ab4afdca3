package tests

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// process edits the configuration's process.
func process(change func(*specs.Process)) edit {
	return func(s *specs.Spec) { change(s.Process) }
}

func user(uid, gid uint32, groups ...uint32) edit {
	return process(func(p *specs.Process) { p.User.UID, p.User.GID, p.User.AdditionalGids = uid, gid, groups })
}

func TestProcessIsRootByDefaultWithoutGroups(t *testing.T) {
	r := newBox(t).report()
	if !slices.Equal(r.UIDs, []int{0, 0, 0}) || !slices.Equal(r.GIDs, []int{0, 0, 0}) || len(r.Groups) > 0 {
		t.Errorf("uids %v, gids %v, groups %v", r.UIDs, r.GIDs, r.Groups)
	}
}

func TestProcessHasTheUserAndTheGroups(t *testing.T) {
	r := newBox(t, user(1000, 1001, 20, 30, 65533)).report()
	if !slices.Equal(r.UIDs, []int{1000, 1000, 1000}) || !slices.Equal(r.GIDs, []int{1001, 1001, 1001}) || !slices.Equal(r.Groups, []int{20, 30, 65533}) {
		t.Errorf("uids %v, gids %v, groups %v", r.UIDs, r.GIDs, r.Groups)
	}
}

func TestProcessHasTheUmask(t *testing.T) {
	if r := newBox(t, process(func(p *specs.Process) { p.User.Umask = new(uint32(0o077)) })).report(); r.Umask != 0o077 {
		t.Errorf("umask %04o, want 0077", r.Umask)
	}
	if r := newBox(t).report(); r.Umask != 0o022 {
		t.Errorf("umask %04o when none is asked for, want 0022", r.Umask)
	}
}

func TestProcessHasTheArgumentsAndTheEnvironment(t *testing.T) {
	b := newBox(t, args("/bin/busybox", "echo", "a b", "", "*", "\x01ü"))
	if got := b.mustRun(); got != "a b  * \x01ü\n" {
		t.Errorf("the arguments arrived as %q", got)
	}
	b = newBox(t, process(func(p *specs.Process) {
		p.Env = append(p.Env, "A=1", "B=two words", "C=", "A=2", "HOME=/elsewhere")
	}))
	r := b.report()
	for name, want := range map[string]string{"A": "2", "B": "two words", "C": "", "HOME": "/elsewhere"} {
		if got, ok := r.env(name); got != want || !ok {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if n := len(r.Env); n != 6 {
		t.Errorf("%d variables, want 6: %q", n, r.Env)
	}
}

func TestHomeComesFromTheContainersPasswd(t *testing.T) {
	for _, c := range []struct {
		uid  uint32
		home string
	}{{0, "/root"}, {1000, "/home/user"}, {4242, "/"}} {
		r := newBox(t, user(c.uid, 0)).report()
		if got, _ := r.env("HOME"); got != c.home {
			t.Errorf("HOME of %d is %q, want %q", c.uid, got, c.home)
		}
	}
}

func TestCommandIsLookedUpInTheContainersPath(t *testing.T) {
	b := newBox(t, args("probe", "say", "found"), process(func(p *specs.Process) { p.Env[0] = "PATH=/nowhere:/bin" }))
	if got := b.mustRun(); got != "found\n" {
		t.Errorf("got %q", got)
	}
}

func TestRelativeCommandIsResolvedInTheWorkingDirectory(t *testing.T) {
	b := newBox(t, args("./probe", "say", "found"), process(func(p *specs.Process) { p.Cwd = "/bin" }))
	if got := b.mustRun(); got != "found\n" {
		t.Errorf("got %q", got)
	}
}

func TestProcessStartsInItsWorkingDirectory(t *testing.T) {
	for _, cwd := range []string{"/", "/home/user", "/made/for/it"} {
		r := newBox(t, process(func(p *specs.Process) { p.Cwd = cwd })).report()
		if r.Cwd != cwd {
			t.Errorf("the working directory is %q, want %q", r.Cwd, cwd)
		}
	}
}

func TestWorkingDirectoryMayBeOneThatOnlyTheUserCanEnter(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	b := newBox(t, user(1000, 1000), process(func(p *specs.Process) { p.Cwd = "/home/user" }))
	b.check(os.Chown(b.rootfs+"/home/user", 1000, 1000))
	b.check(os.Chmod(b.rootfs+"/home/user", 0o700))
	if r := b.report(); r.Cwd != "/home/user" {
		t.Errorf("the working directory is %q", r.Cwd)
	}
}

// No right of the container's root holds for a directory of an owner that its user namespace does not know.
func TestWorkingDirectoryMayBeOneThatRootCannotEnter(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	enter := process(func(p *specs.Process) { p.Cwd = "/home/user" })
	b := newBox(t, userNamespace(100000), user(1000, 1000), enter)
	b.check(os.Chown(b.rootfs+"/home/user", 1, 101000))
	b.check(os.Chmod(b.rootfs+"/home/user", 0o070))
	if r := b.report(); r.Cwd != "/home/user" {
		t.Errorf("the working directory is %q", r.Cwd)
	}
	b.edit(user(2000, 2000))
	b.run().expect(b, 1, "process.cwd (/home/user)", "permission denied")
}

func TestRlimitsAreSet(t *testing.T) {
	limits := []struct {
		kind, name string
		soft, hard uint64
		want       string
	}{
		{"RLIMIT_NOFILE", "Max open files", 100, 200, "100 200"},
		{"RLIMIT_CORE", "Max core file size", 0, 0, "0 0"},
		{"RLIMIT_CPU", "Max cpu time", 500, 600, "500 600"},
		{"RLIMIT_FSIZE", "Max file size", 1 << 30, 1 << 31, "1073741824 2147483648"},
		{"RLIMIT_STACK", "Max stack size", 1 << 22, 1 << 23, "4194304 8388608"},
		{"RLIMIT_NPROC", "Max processes", 1000, 2000, "1000 2000"},
		{"RLIMIT_AS", "Max address space", 1 << 34, 1 << 35, "17179869184 34359738368"},
		{"RLIMIT_DATA", "Max data size", 1 << 34, 1 << 35, "17179869184 34359738368"},
		{"RLIMIT_RSS", "Max resident set", 1 << 34, ^uint64(0), "17179869184 unlimited"},
		{"RLIMIT_MEMLOCK", "Max locked memory", 4096, 8192, "4096 8192"},
		{"RLIMIT_LOCKS", "Max file locks", 10, 20, "10 20"},
		{"RLIMIT_SIGPENDING", "Max pending signals", 100, 200, "100 200"},
		{"RLIMIT_MSGQUEUE", "Max msgqueue size", 1000, 2000, "1000 2000"},
		{"RLIMIT_NICE", "Max nice priority", 0, 0, "0 0"},
		{"RLIMIT_RTPRIO", "Max realtime priority", 0, 0, "0 0"},
		{"RLIMIT_RTTIME", "Max realtime timeout", 1000, 2000, "1000 2000"},
	}
	r := newBox(t, process(func(p *specs.Process) {
		for _, l := range limits {
			p.Rlimits = append(p.Rlimits, specs.POSIXRlimit{Type: l.kind, Soft: l.soft, Hard: l.hard})
		}
	})).report()
	for _, l := range limits {
		if got := r.limit(l.name); got != l.want {
			t.Errorf("%s is %s, want %s", l.kind, got, l.want)
		}
	}
}

func TestLimitsThatAreNotAskedForAreTheCallers(t *testing.T) {
	r := newBox(t).report()
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &own); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		t.Fatal(err)
	}
	mine := &report{t: t, Files: map[string]string{"/proc/self/limits": string(data)}}
	for _, name := range []string{"Max processes", "Max stack size", "Max core file size"} {
		if got, want := r.limit(name), mine.limit(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestOpenFilesLimitIsTheCallersNotTheRuntimes(t *testing.T) {
	b := newBox(t)
	cmd := b.command(t.Context(), "run", "--bundle", b.bundle, b.id)
	cmd.Args = append([]string{"sh", "-c", `ulimit -S -n 300 && ulimit -H -n 400 && exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	r := parseReport(t, b.finish(t.Context(), cmd).stdout)
	if got := r.limit("Max open files"); got != "300 400" {
		t.Errorf("the limit is %s, want 300 400", got)
	}
}

func TestNoNewPrivilegesIsAsAsked(t *testing.T) {
	for _, want := range []string{"0", "1"} {
		r := newBox(t, process(func(p *specs.Process) { p.NoNewPrivileges = want == "1" })).report()
		if got := r.status("NoNewPrivs"); got != want {
			t.Errorf("NoNewPrivs is %s, want %s", got, want)
		}
	}
}

func TestOOMScoreAdjIsSetOrLeftAlone(t *testing.T) {
	r := newBox(t, process(func(p *specs.Process) { p.OOMScoreAdj = new(321) })).report()
	if got := strings.TrimSpace(r.Files["/proc/self/oom_score_adj"]); got != "321" {
		t.Errorf("oom_score_adj is %s, want 321", got)
	}
	own, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		t.Fatal(err)
	}
	if got := newBox(t).report().Files["/proc/self/oom_score_adj"]; got != string(own) {
		t.Errorf("oom_score_adj is %q, want the caller's %q", got, own)
	}
}

func TestInitIsFirstInItsSessionAndNamespace(t *testing.T) {
	r := newBox(t).report()
	if r.PID != 1 || r.PPID != 0 || r.SID != 1 || r.PGID != 1 {
		t.Errorf("pid %d, ppid %d, session %d, group %d", r.PID, r.PPID, r.SID, r.PGID)
	}
}

func TestProcessHasNoSignalBlockedOrIgnored(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	b.start()
	for name, r := range map[string]*report{"init": newBox(t).report(), "exec": b.execReport()} {
		for _, set := range []string{"SigBlk", "SigIgn"} {
			if got := r.status(set); strings.Trim(got, "0") != "" {
				t.Errorf("%s: %s is %s", name, set, got)
			}
		}
	}
}

func TestContainerHasASessionKeyringOfItsOwn(t *testing.T) {
	runtime.LockOSThread() // for good: the thread, whose keyring it is, ends with the test
	own, err := unix.KeyctlJoinSessionKeyring("of hull's caller")
	if err != nil {
		t.Skipf("this kernel gives this process no keyring: %v", err)
	}
	a, b := newBox(t).report(), newBox(t).report()
	if a.Keyring <= 0 || a.Keyring == b.Keyring || a.Keyring == int64(own) {
		t.Errorf("keyrings %d and %d, of the caller %d", a.Keyring, b.Keyring, own)
	}
}

func TestNoNewKeyringKeepsTheCallers(t *testing.T) {
	needRoot(t, "a user namespace has session keyrings of its own")
	r := parseReport(t, newBox(t).mustRun("--no-new-keyring"))
	own, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
	if err != nil {
		t.Skipf("this kernel gives this process no keyring: %v", err)
	}
	if r.Keyring != int64(own) {
		t.Errorf("the keyring is %d, want the caller's %d", r.Keyring, own)
	}
}
