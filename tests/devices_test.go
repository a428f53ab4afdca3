package tests

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Nodes may be made, as for an image that is being unpacked; to open them is another matter.
func TestWithoutRulesOnlyTheDefaultDevicesCanBeOpened(t *testing.T) {
	needRoot(t, "only the kernel's own root makes devices")
	b := newBox(t, privileged, runProbe("mknod", "/tmp/kmsg", "c", "1", "11", ",", "open", "/tmp/kmsg", "r", ",", "mknod", "/tmp/null", "c", "1", "3", ",", "open", "/tmp/null", "r"))
	b.wantOutput("mknod /tmp/kmsg c 1 11: ok", "open /tmp/kmsg r: EPERM", "mknod /tmp/null c 1 3: ok", "open /tmp/null r: ok")
}

func TestDeviceRulesCountInTheirOrder(t *testing.T) {
	needRoot(t, "only the kernel's own root makes devices")
	rule := func(allow bool, kind string, major, minor int64, access string) specs.LinuxDeviceCgroup {
		d := specs.LinuxDeviceCgroup{Allow: allow, Type: kind, Access: access}
		if major >= 0 {
			d.Major = &major
		}
		if minor >= 0 {
			d.Minor = &minor
		}
		return d
	}
	denyAll, allowAll := rule(false, "a", -1, -1, "rwm"), rule(true, "a", -1, -1, "rwm")
	for name, c := range map[string]struct {
		rules       []specs.LinuxDeviceCgroup
		read, write string // of the character device 1:11
		block       string // to read the block device 240:77, which is not there
	}{
		"deny all":                  {[]specs.LinuxDeviceCgroup{denyAll}, "EPERM", "EPERM", "EPERM"},
		"deny all, allow one":       {[]specs.LinuxDeviceCgroup{denyAll, rule(true, "c", 1, 11, "r")}, "ok", "EPERM", "EPERM"},
		"deny all, allow a class":   {[]specs.LinuxDeviceCgroup{denyAll, rule(true, "c", 1, -1, "rw"), rule(true, "b", -1, -1, "r")}, "ok", "ok", "ENXIO"},
		"allow all":                 {[]specs.LinuxDeviceCgroup{allowAll}, "ok", "ok", "ENXIO"},
		"allow all, deny one":       {[]specs.LinuxDeviceCgroup{allowAll, rule(false, "c", 1, 11, "r")}, "EPERM", "ok", "ENXIO"},
		"allow one, deny all":       {[]specs.LinuxDeviceCgroup{rule(true, "c", 1, 11, "r"), denyAll}, "EPERM", "EPERM", "EPERM"},
		"another type does not":     {[]specs.LinuxDeviceCgroup{denyAll, rule(true, "c", 240, 77, "rw"), rule(true, "b", 1, 11, "rw")}, "EPERM", "EPERM", "EPERM"},
		"making is not reading":     {[]specs.LinuxDeviceCgroup{denyAll, rule(true, "b", 240, 77, "m"), rule(true, "c", 1, 11, "w")}, "EPERM", "ok", "EPERM"},
		"allowed, then denied part": {[]specs.LinuxDeviceCgroup{denyAll, rule(true, "c", 1, 11, "rw"), rule(false, "c", 1, 11, "w")}, "ok", "EPERM", "EPERM"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, privileged, resources(func(r *specs.LinuxResources) { r.Devices = c.rules }), func(s *specs.Spec) {
				s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/char", Type: "c", Major: 1, Minor: 11}, {Path: "/dev/block", Type: "b", Major: 240, Minor: 77}}
			}, runProbe("open", "/dev/char", "r", ",", "open", "/dev/char", "w", ",", "open", "/dev/block", "r", ",", "open", "/dev/null", "+"))
			b.wantOutput("open /dev/char r: "+c.read, "open /dev/char w: "+c.write, "open /dev/block r: "+c.block, "open /dev/null +: ok")
		})
	}
}

func TestDefaultDevicesAndLinksAreThere(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	for name, edits := range map[string][]edit{"root": nil, "user namespace": {userNamespace(0)}, "shifted user namespace": {userNamespace(200000)}} {
		t.Run(name, func(t *testing.T) {
			r := newBox(t, edits...).report()
			for path, want := range map[string]string{
				"null": "c 0666 0:0 1:3", "zero": "c 0666 0:0 1:5", "full": "c 0666 0:0 1:7", "random": "c 0666 0:0 1:8",
				"urandom": "c 0666 0:0 1:9", "tty": "c 0666 0:0 5:0", "ptmx": "-> pts/ptmx", "fd": "-> /proc/self/fd",
				"stdin": "-> /proc/self/fd/0", "stdout": "-> /proc/self/fd/1", "stderr": "-> /proc/self/fd/2",
			} {
				got := r.Dev[path].String()
				if name == "shifted user namespace" { // they are bound from the host, whose root is nobody here
					got = strings.Replace(got, " 65534:65534 ", " 0:0 ", 1)
					got = strings.Replace(got, " 65534:5 ", " 0:0 ", 1)
				}
				if path == "tty" {
					got = strings.Replace(strings.Replace(got, " 0:5 ", " 0:0 ", 1), " 65534:65534 ", " 0:0 ", 1)
				}
				if got != want {
					t.Errorf("/dev/%s is %s, want %s", path, got, want)
				}
			}
			if _, there := r.Dev["console"]; there {
				t.Error("there is a console without a terminal")
			}
		})
	}
}

func TestDefaultDevicesWork(t *testing.T) {
	b := newBox(t, runProbe("open", "/dev/null", "+", ",", "open", "/dev/zero", "+", ",", "open", "/dev/full", "+", ",", "open", "/dev/random", "r", ",",
		"open", "/dev/urandom", "r", ",", "open", "/dev/ptmx", "+", ",", "open", "/dev/tty", "+", ",", "write", "/dev/full", "x"))
	b.wantOutput("open /dev/null +: ok", "open /dev/zero +: ok", "open /dev/full +: ok", "open /dev/random r: ok",
		"open /dev/urandom r: ok", "open /dev/ptmx +: ok", "open /dev/tty +: ENXIO", "write /dev/full x: ENOSPC")
}

func TestDevicesOfTheConfigurationAreMade(t *testing.T) {
	needRoot(t, "only the kernel's own root makes devices")
	b := newBox(t, func(s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{
			{Path: "/dev/my-null", Type: "c", Major: 1, Minor: 3, FileMode: ptr(os.FileMode(0o640)), UID: new(uint32(5)), GID: new(uint32(6))},
			{Path: "/dev/my-block", Type: "b", Major: 7, Minor: 200, FileMode: ptr(os.FileMode(0o600))},
			{Path: "/dev/my-fifo", Type: "p", FileMode: ptr(os.FileMode(0o622))},
			{Path: "/dev/my-unbuffered", Type: "u", Major: 1, Minor: 5},
			{Path: "/dev/deep/er/node", Type: "c", Major: 1, Minor: 5},
		}
	}, runProbe("report", ",", "open", "/dev/deep/er/node", "r"))
	first, rest, _ := strings.Cut(b.mustRun(), "\n")
	r := parseReport(t, first)
	for path, want := range map[string]string{
		"my-null": "c 0640 5:6 1:3", "my-block": "b 0600 0:0 7:200", "my-fifo": "p 0622 0:0 0:0", "my-unbuffered": "c 0666 0:0 1:5",
	} {
		if got := r.Dev[path].String(); got != want {
			t.Errorf("/dev/%s is %s, want %s", path, got, want)
		}
	}
	if rest != "open /dev/deep/er/node r: ok\n" {
		t.Errorf("got %q", rest)
	}
}

func TestDeviceOfADefaultsPathTakesItsPlace(t *testing.T) {
	needRoot(t, "only the kernel's own root makes devices")
	b := newBox(t, func(s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/zero", Type: "c", Major: 1, Minor: 3, FileMode: ptr(os.FileMode(0o600))}}
	})
	if got := b.report().Dev["zero"].String(); got != "c 0600 0:0 1:3" {
		t.Errorf("/dev/zero is %s", got)
	}
}

// Engines list the host's devices for a privileged container, its ptmx among them.
func TestPtmxIsTheContainersOwnWhateverTheConfigurationLists(t *testing.T) {
	b := newBox(t, func(s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/ptmx", Type: "c", Major: 5, Minor: 2, FileMode: ptr(os.FileMode(0o666))}}
	}, runProbe("report", ",", "open", "/dev/ptmx", "+"))
	first, rest, _ := strings.Cut(b.mustRun(), "\n")
	if got := parseReport(t, first).Dev["ptmx"].String(); got != "-> pts/ptmx" || rest != "open /dev/ptmx +: ok\n" {
		t.Errorf("/dev/ptmx is %s, %s", got, rest)
	}
	b.edit(func(s *specs.Spec) { s.Linux.Devices[0].Minor = 3 })
	b.run().expect(b, 1, "linux.devices[0] (/dev/ptmx)", "not the character device 5:3")
}

func TestDeviceErrorsNameTheField(t *testing.T) {
	b := newBox(t, func(s *specs.Spec) { s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/x", Type: "q"}} })
	b.run().expect(b, 1, "linux.devices[0]", `"q"`)
	b.edit(func(s *specs.Spec) { s.Linux.Devices[0] = specs.LinuxDevice{Path: "dev/x", Type: "c"} })
	b.run().expect(b, 1, "linux.devices[0].path", "dev/x")
	b.wantNothingLeft()
}
