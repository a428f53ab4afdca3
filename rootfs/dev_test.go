package rootfs

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

func TestDefaultDevices(t *testing.T) {
	b := newBox(t)
	out := b.run(t, `cd /dev; stat -c '%n %F %t:%T %a %u:%g' null zero full random urandom tty; for l in fd stdin stdout stderr ptmx; do readlink $l; done`)
	want := `null character special file 1:3 666 0:0
zero character special file 1:5 666 0:0
full character special file 1:7 666 0:0
random character special file 1:8 666 0:0
urandom character special file 1:9 666 0:0
tty character special file 5:0 666 0:0
/proc/self/fd
/proc/self/fd/0
/proc/self/fd/1
/proc/self/fd/2
pts/ptmx`
	if out != want {
		t.Errorf("devices %s\nwant %s", out, want)
	}
}

func TestConfiguredDevices(t *testing.T) {
	b := newBox(t)
	mode := os.FileMode(0o600)
	b.Spec.Linux.Devices = []specs.LinuxDevice{
		{Path: "/dev/null", Type: "c", Major: 1, Minor: 3, FileMode: &mode}, // in place of the default
		{Path: "/dev/sub/block", Type: "b", Major: 7, Minor: 300, FileMode: new(os.FileMode(0o640)), UID: new(uint32(5)), GID: new(uint32(6))},
		{Path: "/srv/u", Type: "u", Major: 1, Minor: 5},
		{Path: "/dev/fifo", Type: "p", GID: new(uint32(9))},
	}
	out := b.run(t, `stat -c '%n %F %t:%T %a %u:%g' /dev/null /dev/sub/block /srv/u /dev/fifo`)
	want := `/dev/null character special file 1:3 600 0:0
/dev/sub/block block special file 7:12c 640 5:6
/srv/u character special file 1:5 666 0:0
/dev/fifo fifo 0:0 666 0:9`
	if out != want {
		t.Errorf("devices %s\nwant %s", out, want)
	}
}

func TestExistingDeviceMustMatch(t *testing.T) {
	b := newBox(t)
	if err := unix.Mknod(b.Root+"/dev/x", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err != nil {
		t.Fatal(err)
	}
	b.Spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/x", Type: "c", Major: 1, Minor: 3}}
	b.run(t, "true")
	b.Spec.Linux.Devices[0].Minor = 5
	b.refuses(t, "linux.devices[0] (/dev/x): a file is there already that is not the character device 1:5")
}

func TestDevicesAreMadeTwiceInTheSameRoot(t *testing.T) {
	b := newBox(t)
	b.run(t, "true")
	b.run(t, "test -c /dev/null")
}

func TestBoundDevIsLeftAlone(t *testing.T) {
	b := newBox(t)
	dev := b.source(t, "dev")
	b.mount(specs.Mount{Destination: "/dev", Source: dev, Options: []string{"rbind"}})
	b.Spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/x", Type: "p"}, {Path: "/srv/x", Type: "p"}}
	b.refuses(t, "linux.devices[0] (/dev/x): is missing, and hull makes nothing in a /dev that is a bind mount: no such file or directory")
	if err := unix.Mkfifo(dev+"/x", 0o600); err != nil {
		t.Fatal(err)
	}
	if out := b.run(t, "ls /dev /srv"); out != "/dev:\nfile\nx\n\n/srv:\nx" {
		t.Errorf("there is %s", out)
	}
}

func TestDevicesAreBoundWhereTheyCannotBeMade(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/dev", Type: "tmpfs"})
	const capMknod = 27
	b.before = func(p *plan.Plan) { // as root of a container that may make no devices
		p.Prctl("drop", unix.PR_CAPBSET_DROP, plan.N(capMknod))
		caps := plan.Uint32s([]uint32{^uint32(1 << capMknod), ^uint32(1 << capMknod), 0, ^uint32(0), ^uint32(0), 0})
		head := plan.Uint32s([]uint32{unix.LINUX_CAPABILITY_VERSION_3, 0})
		p.Syscall("capset", unix.SYS_CAPSET, plan.Bytes(head), plan.Bytes(caps))
	}
	if !hasAllCaps() {
		t.Skip("needs all capabilities, for capset(2) cannot add any")
	}
	out := b.run(t, `head -c 2 /dev/zero | wc -c; echo x > /dev/null; `+showMounts)
	if !strings.HasPrefix(out, "2\n") || at(t, out, "/dev/zero").root != "/zero" {
		t.Error(out)
	}
}

// hasAllCaps says whether no capability is missing that the kernel knows.
func hasAllCaps() bool {
	status, err := os.ReadFile("/proc/self/status")
	last, err2 := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	return err == nil && err2 == nil && strings.TrimSpace(string(last)) == "40" && strings.Contains(string(status), "CapPrm:\t000001ffffffffff")
}
