package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// running is a container that does nothing.
func running(t *testing.T, edits ...edit) *box {
	t.Helper()
	b := newBox(t, append([]edit{runProbe("pause")}, edits...)...)
	b.start()
	return b
}

func TestExecSeesWhatTheInitSees(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	b := newBox(t, userNamespace(200000), namespace(specs.CgroupNamespace, ""), runProbe("report", ",", "pause"))
	l := b.start()
	init := parseReport(t, l.line())
	r := b.execReport()
	for _, ns := range []string{"mnt", "pid", "net", "ipc", "uts", "user", "cgroup"} {
		if r.NS[ns] != init.NS[ns] || r.NS[ns] == "" {
			t.Errorf("%s namespace %q, of the init %q", ns, r.NS[ns], init.NS[ns])
		}
	}
	for _, file := range []string{"/proc/self/cgroup", "/proc/self/limits", "/proc/self/mountinfo", "/proc/self/oom_score_adj"} {
		if r.Files[file] != init.Files[file] {
			t.Errorf("%s is\n%s\nof the init\n%s", file, r.Files[file], init.Files[file])
		}
	}
	r.wantCaps(map[string][]string{"CapBnd": someCaps, "CapEff": someCaps, "CapPrm": someCaps})
	if r.status("NoNewPrivs") != "1" || r.PPID != 0 || r.SID != r.PID {
		t.Errorf("NoNewPrivs %s, parent %d, pid %d, session %d", r.status("NoNewPrivs"), r.PPID, r.PID, r.SID)
	}
	if r.Self["exe"] != "/bin/probe" || r.Cwd != "/" {
		t.Errorf("exe %s, cwd %s", r.Self["exe"], r.Cwd)
	}
}

func TestExecPassesTheExitCodeOn(t *testing.T) {
	b := running(t)
	for _, code := range []int{0, 5, 255} {
		b.hull("exec", b.id, "/bin/probe", "exit", strconv.Itoa(code)).expect(b, code)
	}
	b.hull("exec", b.id, "/bin/probe", "raise", "9").expect(b, signalled(unix.SIGKILL))
	b.hull("exec", b.id, "/bin/probe", "raise", "15").expect(b, signalled(unix.SIGTERM))
}

func TestExecHasTheUserAndTheGroups(t *testing.T) {
	b := running(t)
	for flags, want := range map[string]string{
		"":                    "[0 0 0] [0 0 0] []",
		"--user 1000":         "[1000 1000 1000] [0 0 0] []",
		"--user 1000:1001":    "[1000 1000 1000] [1001 1001 1001] []",
		"-u 1000:1001 -g 20":  "[1000 1000 1000] [1001 1001 1001] [20]",
		"-g 9 -g 10":          "[0 0 0] [0 0 0] [9 10]",
		"--additional-gids 7": "[0 0 0] [0 0 0] [7]",
	} {
		r := b.execReport(strings.Fields(flags)...)
		if got := fmt.Sprint(r.UIDs, r.GIDs, r.Groups); got != want {
			t.Errorf("exec %s: %s, want %s", flags, got, want)
		}
	}
}

func TestExecHasTheEnvironmentAndTheDirectory(t *testing.T) {
	b := running(t, process(func(p *specs.Process) { p.Env = append(p.Env, "FROM=config") }))
	r := b.execReport("-e", "A=1", "-e", "B=a,b", "--cwd", "/home/user")
	for name, want := range map[string]string{"A": "1", "B": "a,b", "FROM": "config", "PATH": "/bin", "HOME": "/root"} {
		if got, _ := r.env(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if r.Cwd != "/home/user" {
		t.Errorf("the working directory is %s", r.Cwd)
	}
	if r := b.execReport("--env", "FROM=flag"); !slices.Contains(r.Env, "FROM=flag") || slices.Contains(r.Env, "FROM=config") {
		t.Errorf("the environment is %v", r.Env)
	}
}

func TestExecCanForbidNewPrivileges(t *testing.T) {
	b := running(t, process(func(p *specs.Process) { p.NoNewPrivileges = false }))
	if got := b.execReport("--no-new-privs").status("NoNewPrivs"); got != "1" {
		t.Errorf("NoNewPrivs is %s, want 1", got)
	}
	if got := b.execReport().status("NoNewPrivs"); got != "0" {
		t.Errorf("NoNewPrivs is %s, want 0", got)
	}
}

func TestExecTakesAProcessFile(t *testing.T) {
	b := running(t)
	data, err := json.Marshal(specs.Process{
		Args: []string{"/bin/probe"}, Env: []string{"ONLY=this"}, Cwd: "/tmp",
		User:         specs.User{UID: 1000, GID: 1001, AdditionalGids: []uint32{33}, Umask: new(uint32(0o027))},
		Rlimits:      []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 11, Hard: 12}},
		OOMScoreAdj:  new(222),
		Capabilities: &specs.LinuxCapabilities{Bounding: []string{"CAP_KILL"}},
	})
	b.check(err)
	r := parseReport(t, b.must("exec", "--process", b.file("process.json", string(data)), b.id).stdout)
	got := fmt.Sprintf("%v %v %v %03o %s %s %s %v %v", r.UIDs, r.GIDs, r.Groups, r.Umask, r.Cwd, r.limit("Max open files"), strings.TrimSpace(r.Files["/proc/self/oom_score_adj"]), r.caps("CapBnd"), r.caps("CapEff"))
	if want := "[1000 1000 1000] [1001 1001 1001] [33] 027 /tmp 11 12 222 [CAP_KILL] []"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, ok := r.env("PATH"); ok {
		t.Errorf("the environment is %v, want only what the file says and HOME", r.Env)
	}
}

func TestExecDetachedLeavesTheProcessRunning(t *testing.T) {
	b := running(t)
	l := b.live("exec", "--detach", "--pid-file", b.path("exec.pid"), b.id, "/bin/probe", "say", "ready", ",", "pause")
	if r := l.wait(); r.code != 0 {
		t.Fatal(r)
	}
	l.want("ready")
	pid, err := strconv.Atoi(b.read(b.path("exec.pid")))
	b.check(err)
	if cmdline := b.read(fmt.Sprintf("/proc/%d/cmdline", pid)); !strings.HasPrefix(cmdline, "/bin/probe\x00say") {
		t.Errorf("process %d runs %q", pid, cmdline)
	}
	b.check(unix.Kill(pid, unix.SIGKILL))
	l.rest()
	b.wantStatus("running")
}

func TestExecPassesStdinOn(t *testing.T) {
	b := running(t)
	l := b.live("exec", b.id, "/bin/cat")
	if _, err := l.stdin.WriteString("through\n"); err != nil {
		t.Fatal(err)
	}
	l.want("through")
	l.stdin.Close()
	if r := l.wait(); r.code != 0 {
		t.Error(r)
	}
}

func TestExecForwardsSignals(t *testing.T) {
	b := running(t)
	l := b.live("exec", b.id, "/bin/probe", "leave", "15", "44", ",", "say", "ready", ",", "pause")
	l.want("ready")
	b.check(l.cmd.Process.Signal(unix.SIGTERM))
	if r := l.wait(); r.code != 44 {
		t.Error(r)
	}
}

func TestExecWorksInACreatedContainer(t *testing.T) {
	b := newBox(t, runProbe("say", "started"))
	l := b.create()
	if got := b.must("exec", b.id, "/bin/probe", "say", "early").stdout; got != "early\n" {
		t.Errorf("got %q", got)
	}
	b.wantStatus("created")
	b.must("start", b.id)
	l.want("started")
}

func TestExecIsInTheContainersCgroupOrBelow(t *testing.T) {
	b := running(t)
	own := cgroupBelow(b.spec.Linux.CgroupsPath)
	chosen, flags := []string{"pids", "freezer"}, []string{"--cgroup", "pids:sub", "--cgroup", "freezer:sub"}
	if onV2() {
		chosen, flags = []string{""}, []string{"--cgroup", "sub"}
	}
	for _, controller := range chosen {
		b.check(os.Mkdir(filepath.Join(b.cgroupDir(controller), "sub"), 0o755))
	}
	host := func(flags ...string) map[string]string {
		l := b.live(append(append([]string{"exec", "--detach", "--pid-file", b.path("p")}, flags...), b.id, "/bin/probe", "pause")...)
		if r := l.wait(); r.code != 0 {
			t.Fatal(r)
		}
		paths := map[string]string{}
		for line := range strings.Lines(b.read("/proc/" + b.read(b.path("p")) + "/cgroup")) {
			f := strings.SplitN(strings.TrimSpace(line), ":", 3)
			paths[f[1]] = f[2]
		}
		return paths
	}
	for controller, path := range host() {
		if path != own {
			t.Errorf("%s: exec is in %s", controller, path)
		}
	}
	for controller, path := range host(flags...) {
		want := own
		if slices.Contains(chosen, controller) {
			want += "/sub"
		}
		if path != want {
			t.Errorf("%s: exec --cgroup is in %s, want %s", controller, path, want)
		}
	}
	b.refuse(255, []string{"cgroup"}, "exec", "--cgroup", "pids:nowhere", b.id, "/bin/true")
	b.refuse(255, []string{"cgroup"}, "exec", "--cgroup", "../..", b.id, "/bin/true")
}

func TestManyExecsAtOnce(t *testing.T) {
	b := running(t)
	var lives []*live
	for i := range 10 {
		lives = append(lives, b.live("exec", b.id, "/bin/probe", "say", strconv.Itoa(i), ",", "exit", strconv.Itoa(i)))
	}
	for i, l := range lives {
		l.want(strconv.Itoa(i))
		if r := l.wait(); r.code != i {
			t.Errorf("want exit code %d: %s", i, r)
		}
	}
}

func TestExecEndsWithTheContainer(t *testing.T) {
	b := running(t)
	l := b.live("exec", b.id, "/bin/probe", "say", "ready", ",", "pause")
	l.want("ready")
	b.must("kill", b.id, "KILL")
	if r := l.wait(); r.code != signalled(unix.SIGKILL) {
		t.Error(r)
	}
}
