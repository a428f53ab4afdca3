package cgroups

import (
	"maps"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hosts are mountinfo files of the kinds of hosts there are. Where the device
// number of what is visible at a mount point differs from the mount's own,
// another mount covers it.
var hosts = []struct {
	name      string
	mountinfo string
	covered   []string
	own       string
	v2        bool
	absolute  map[string]string // directories of /a/b
	relative  map[string]string // directories of a/b
}{
	{
		name: "v1, co-mounted",
		mountinfo: `30 20 0:25 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:26 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
32 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct
33 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
`,
		own:      "3:memory:/user.slice\n2:cpu,cpuacct:/\n1:name=systemd:/user.slice/session-1.scope\n",
		absolute: map[string]string{"name=systemd": "/sys/fs/cgroup/systemd/a/b", "cpu": "/sys/fs/cgroup/cpu,cpuacct/a/b", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct/a/b", "memory": "/sys/fs/cgroup/memory/a/b"},
		relative: map[string]string{"name=systemd": "/sys/fs/cgroup/systemd/user.slice/session-1.scope/a/b", "cpu": "/sys/fs/cgroup/cpu,cpuacct/a/b", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct/a/b", "memory": "/sys/fs/cgroup/memory/user.slice/a/b"},
	},
	{
		name: "hybrid",
		mountinfo: `33 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
34 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`,
		own:      "1:memory:/m\n0::/u\n",
		absolute: map[string]string{"memory": "/sys/fs/cgroup/memory/a/b", "": "/sys/fs/cgroup/unified/a/b"},
		relative: map[string]string{"memory": "/sys/fs/cgroup/memory/m/a/b", "": "/sys/fs/cgroup/unified/u/a/b"},
	},
	{
		name:      "v2: beside our own, which has processes",
		mountinfo: "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
		own:       "0::/user.slice/user-1000.slice/session.scope\n",
		v2:        true,
		absolute:  map[string]string{"": "/sys/fs/cgroup/a/b"},
		relative:  map[string]string{"": "/sys/fs/cgroup/user.slice/user-1000.slice/a/b"},
	},
	{
		name: "v2 with net_cls mounted by somebody",
		mountinfo: `29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
40 23 0:50 / /run/net_cls rw - cgroup net_cls rw,net_cls
`,
		own:      "1:net_cls:/\n0::/x\n",
		v2:       true,
		absolute: map[string]string{"": "/sys/fs/cgroup/a/b"},
		relative: map[string]string{"": "/sys/fs/cgroup/a/b"},
	},
	{
		name: "inside a container that sees only its own part",
		mountinfo: `40 30 0:28 /docker/c1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
41 30 0:29 /docker/c1 /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids
`,
		own:      "1:memory:/docker/c1\n2:pids:/docker/c1/inner\n",
		absolute: map[string]string{"memory": "/sys/fs/cgroup/memory/a/b", "pids": "/sys/fs/cgroup/pids/a/b"},
		relative: map[string]string{"memory": "/sys/fs/cgroup/memory/a/b", "pids": "/sys/fs/cgroup/pids/inner/a/b"},
	},
	{
		name: "mounted twice: the larger part counts, and what is covered does not",
		mountinfo: `40 30 0:28 /docker/c1 /mnt/part rw - cgroup cgroup rw,memory
41 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
42 30 0:29 / /covered rw - cgroup cgroup rw,pids
43 30 0:29 / /sys/fs/cgroup\040pids rw - cgroup cgroup rw,pids
`,
		covered:  []string{"/covered"},
		own:      "1:memory:/\n2:pids:/\n",
		absolute: map[string]string{"memory": "/sys/fs/cgroup/memory/a/b", "pids": "/sys/fs/cgroup pids/a/b"},
		relative: map[string]string{"memory": "/sys/fs/cgroup/memory/a/b", "pids": "/sys/fs/cgroup pids/a/b"},
	},
}

func TestDetectsEveryKindOfHost(t *testing.T) {
	for _, tt := range hosts {
		t.Run(tt.name, func(t *testing.T) {
			devices := map[string]uint64{}
			for line := range strings.Lines(tt.mountinfo) {
				var minor uint32
				fields := strings.Fields(line)
				for _, digit := range strings.TrimPrefix(fields[2], "0:") {
					minor = 10*minor + uint32(digit-'0')
				}
				devices[strings.ReplaceAll(fields[4], `\040`, " ")] = unix.Mkdev(0, minor)
			}
			for _, path := range tt.covered {
				devices[path] = unix.Mkdev(0, 999)
			}
			h, err := detect(strings.NewReader(tt.mountinfo), func(path string) uint64 { return devices[path] })
			if err != nil {
				t.Fatal(err)
			}
			if h.V2 != tt.v2 {
				t.Errorf("V2 is %v", h.V2)
			}
			h.own = parseOwn(tt.own)
			for path, want := range map[string]map[string]string{"/a/b": tt.absolute, "a/b": tt.relative} {
				if got, err := h.paths(path); err != nil || !maps.Equal(got, want) {
					t.Errorf("%s is at %v, %v; want %v", path, got, err, want)
				}
			}
		})
	}
}

func TestRefusesRelativePathWhenOwnCgroupIsNotMounted(t *testing.T) {
	h := &Host{Mounts: []Mount{{Dir: "/c", Root: "/docker/c1", Controllers: []string{"memory"}}}, own: parseOwn("1:memory:/elsewhere\n")}
	_, err := h.paths("a")
	want := `linux.cgroupsPath ("a"): a relative path begins at the runtime's own cgroup: cgroup "/elsewhere" is not in the part of the hierarchy (/docker/c1) that is mounted at /c`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRefusesPathsThatAreNoCgroupOfTheContainer(t *testing.T) {
	for path, want := range map[string]string{
		"/":        "names the top",
		".":        "names the top",
		"//":       "names the top",
		"/..":      "must not contain `..`",
		"a/../b":   "must not contain `..`",
		"../a":     "must not contain `..`",
		"a\nb":     "must not contain a newline",
		"a\x00b":   "must not contain a newline or a zero byte",
		"/a/../..": "must not contain `..`",
	} {
		if got, err := cleanPath(path, "id"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q became %q with error %v, want %s", path, got, err, want)
		}
	}
}

func TestCleansPaths(t *testing.T) {
	for path, want := range map[string]string{
		"": "id", "a": "a", "/a/": "/a", "//a//b": "/a/b", "./a/./b": "a/b", "a..b": "a..b", "/...": "/...",
	} {
		if got, err := cleanPath(path, "id"); err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", path, got, err, want)
		}
	}
}
