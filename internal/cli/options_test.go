package cli

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	urfave "github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// parse hands the context of a command line to use instead of running it.
func parse(t *testing.T, use func(*urfave.Context), args ...string) {
	t.Helper()
	args = append([]string{"hull"}, args...)
	app := newApp(args, io.Discard)
	app.Command(args[1]).Action = func(c *urfave.Context) error {
		use(c)
		return nil
	}
	if err := app.RunContext(context.Background(), permute(app, args)); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}

func TestAmountsOfMemory(t *testing.T) {
	for word, want := range map[string]int64{
		"-1": -1, "0": 0, "4096": 4096, "1k": 1 << 10, "1K": 1 << 10, "64m": 64 << 20, "64MB": 64 << 20,
		"2GiB": 2 << 30, "1t": 1 << 40, "1p": 1 << 50, "100b": 100, "9223372036854775807": 1<<63 - 1,
	} {
		if got, err := parseBytes(word); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", word, got, err, want)
		}
	}
	for _, word := range []string{"", "m", "-2", "1.5g", "1x", "1mm", "1 m", "0x10", "9223372036854775808", "8388608t", "1kib2", "1i", "1ib"} {
		if got, err := parseBytes(word); err == nil {
			t.Errorf("%q: accepted as %d", word, got)
		}
	}
}

func TestUpdateChangesOnlyWhatIsGiven(t *testing.T) {
	for line, want := range map[string]string{
		"--memory 64m": `{"memory":{"limit":67108864}}`,
		"--memory-reservation 1m --memory-swap -1": `{"memory":{"reservation":1048576,"swap":-1}}`,
		"--cpu-quota -1": `{"cpu":{"quota":-1}}`,
		"--cpu-period 100000 --cpu-share 512 --cpu-burst 5 --cpu-idle 1": `{"cpu":{"shares":512,"burst":5,"period":100000,"idle":1}}`,
		"--cpu-rt-period 10 --cpu-rt-runtime 5":                          `{"cpu":{"realtimeRuntime":5,"realtimePeriod":10}}`,
		"--cpuset-cpus 0-1 --cpuset-mems 0":                              `{"cpu":{"cpus":"0-1","mems":"0"}}`,
		"--pids-limit 0":                                                 `{"pids":{"limit":0}}`,
		"--blkio-weight 100":                                             `{"blockIO":{"weight":100}}`,
	} {
		parse(t, func(c *urfave.Context) {
			r, err := limits(c)
			if err != nil {
				t.Errorf("%s: %v", line, err)
				return
			}
			if got, _ := json.Marshal(r); string(got) != want {
				t.Errorf("%s: %s, want %s", line, got, want)
			}
		}, append([]string{"update"}, strings.Fields(line+" ab")...)...)
	}
}

func TestExecChangesTheContainersProcess(t *testing.T) {
	base := func() *specs.Process {
		return &specs.Process{
			Terminal: true, Cwd: "/", Args: []string{"init"}, Env: []string{"A=1"}, User: specs.User{UID: 1, GID: 2},
			Capabilities: &specs.LinuxCapabilities{Inheritable: []string{"CAP_KILL"}},
		}
	}
	for _, test := range []struct {
		flags string
		check func(*specs.Process) bool
	}{
		{"", func(p *specs.Process) bool {
			return !p.Terminal && p.Args[0] == "ls" && p.Args[1] == "-t" && p.Cwd == "/"
		}},
		{"-t", func(p *specs.Process) bool { return p.Terminal }},
		{"--user 5", func(p *specs.Process) bool { return p.User.UID == 5 && p.User.GID == 2 }},
		{"-u 5:6", func(p *specs.Process) bool { return p.User.UID == 5 && p.User.GID == 6 }},
		{"-g 7 -g 8", func(p *specs.Process) bool { return len(p.User.AdditionalGids) == 2 && p.User.AdditionalGids[1] == 8 }},
		{"-e B=2,3 -e C=", func(p *specs.Process) bool { return strings.Join(p.Env, " ") == "A=1 B=2,3 C=" }},
		{"--cwd /x", func(p *specs.Process) bool { return p.Cwd == "/x" }},
		{"--apparmor a --process-label b --no-new-privs", func(p *specs.Process) bool {
			return p.ApparmorProfile == "a" && p.SelinuxLabel == "b" && p.NoNewPrivileges
		}},
		{"-c CAP_KILL -c CAP_CHOWN", func(p *specs.Process) bool {
			s := p.Capabilities
			return len(s.Bounding) == 2 && len(s.Effective) == 2 && len(s.Permitted) == 2 && len(s.Inheritable) == 1 &&
				len(s.Ambient) == 1 && s.Ambient[0] == "CAP_KILL"
		}},
	} {
		parse(t, func(c *urfave.Context) {
			p := base()
			if err := amend(c, p); err != nil || !test.check(p) {
				t.Errorf("%q: %v, %+v", test.flags, err, p)
			}
		}, append(append([]string{"exec"}, strings.Fields(test.flags)...), "ab", "ls", "-t")...)
	}
}

func TestRefusesUsersThatAreNoNumbers(t *testing.T) {
	for _, word := range []string{"root", "", "-1", "4294967295", "1:staff", "1:", ":1", "1:2:3"} {
		if err := parseUser(word, &specs.User{}); err == nil {
			t.Errorf("%q: accepted", word)
		}
	}
}

func TestRefusesToPreserveWhatIsNotOpen(t *testing.T) {
	parse(t, func(c *urfave.Context) {
		// Go's own descriptors, epoll and such, are close-on-exec: they are not the caller's.
		_, _, err := preserveFDs(c)
		if err == nil || !strings.HasPrefix(err.Error(), "--preserve-fds 200: descriptor ") || !strings.HasSuffix(err.Error(), ": bad file descriptor") {
			t.Error(err)
		}
	}, "create", "--preserve-fds", "200", "ab")
}

func TestStateRootOfAnOrdinaryUserIsInTheRuntimeDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("is about ordinary users")
	}
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	parse(t, func(c *urfave.Context) {
		root, err := openRoot(c)
		if err != nil || root.Dir != dir+"/hull" {
			t.Errorf("%v, %v", root, err)
			return
		}
		var st unix.Stat_t
		if err := unix.Stat(root.Dir, &st); err != nil || st.Mode&0o7777 != 0o1700 {
			t.Errorf("mode %o, %v", st.Mode, err)
		}
	}, "list")
	t.Setenv("XDG_RUNTIME_DIR", "")
	parse(t, func(c *urfave.Context) {
		if _, err := openRoot(c); err == nil || !strings.Contains(err.Error(), "XDG_RUNTIME_DIR is not set") {
			t.Error(err)
		}
	}, "list")
}
