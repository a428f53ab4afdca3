package cgroups

import (
	"os"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// opens says what reading a device answers to a process in c.
func opens(t *testing.T, c Cgroup, device string) bool {
	t.Helper()
	cmd := process(t, c, true, "exec 3<"+device)
	return cmd.Wait() == nil
}

func TestDeviceRulesHoldAndAreReplaced(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("device rules need root")
	}
	h := realHost(t)
	all := created(t, h)
	cgroups := map[string]Cgroup{"chosen": all}
	if unified, ok := all.Paths()[""]; ok {
		cgroups["program"] = &v2{path: unified} // on hybrid hosts too
	}
	null, urandom := int64(3), int64(9)
	rule := func(minor *int64) []specs.LinuxDeviceCgroup {
		return []specs.LinuxDeviceCgroup{{Allow: true, Type: "c", Major: new(int64(1)), Minor: minor, Access: "rw"}}
	}
	for name, c := range cgroups {
		for _, tt := range []struct {
			rules         []specs.LinuxDeviceCgroup
			null, urandom bool
		}{
			{rule(&null), true, false},
			{rule(&urandom), false, true},
			{append(rule(&null), rule(&urandom)...), true, true},
			{nil, false, false},
			{[]specs.LinuxDeviceCgroup{{Allow: true}}, true, true},
			{append([]specs.LinuxDeviceCgroup{{Allow: true}}, specs.LinuxDeviceCgroup{Type: "c", Major: new(int64(1)), Minor: &null}), false, true},
		} {
			if err := c.SetDevices(tt.rules); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := opens(t, all, "/dev/null"); got != tt.null {
				t.Errorf("%s: %+v: null opens: %v", name, tt.rules, got)
			}
			if got := opens(t, all, "/dev/urandom"); got != tt.urandom {
				t.Errorf("%s: %+v: urandom opens: %v", name, tt.rules, got)
			}
		}
		if err := c.SetDevices([]specs.LinuxDeviceCgroup{{Allow: true}}); err != nil {
			t.Fatal(err)
		}
	}
	if c, ok := cgroups["program"]; ok {
		d, err := openDir(c.Paths()[""])
		if err != nil {
			t.Fatal(err)
		}
		defer d.close()
		own, err := ownPrograms(d)
		if err != nil || len(own) != 1 {
			t.Errorf("%d programs are attached, %v; want 1", len(own), err)
		}
		for _, fd := range own {
			_ = unix.Close(fd)
		}
	}
}
