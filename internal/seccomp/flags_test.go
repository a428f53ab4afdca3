package seccomp

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFlagsOfFilter(t *testing.T) {
	supported := Supported().SupportedFlags
	const notify = `"listenerPath": "/run/agent", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]`
	for _, c := range []struct {
		name, fields string
		needs        string
		want         uint64
	}{
		{"no list is the old default", `"architectures": []`, "SECCOMP_FILTER_FLAG_SPEC_ALLOW", unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		{"an empty list is none", `"flags": []`, "", 0},
		{"tsync", `"flags": ["SECCOMP_FILTER_FLAG_TSYNC"]`, "SECCOMP_FILTER_FLAG_TSYNC", unix.SECCOMP_FILTER_FLAG_TSYNC},
		{
			"two", `"flags": ["SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG"]`, "SECCOMP_FILTER_FLAG_LOG",
			unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW | unix.SECCOMP_FILTER_FLAG_LOG,
		},
		{"a listener", `"flags": [], ` + notify, "", unix.SECCOMP_FILTER_FLAG_NEW_LISTENER},
		{
			"tsync excludes a listener", `"flags": ["SECCOMP_FILTER_FLAG_TSYNC"], ` + notify, "SECCOMP_FILTER_FLAG_TSYNC",
			unix.SECCOMP_FILTER_FLAG_NEW_LISTENER,
		},
		{
			"killable waits for a listener", `"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], ` + notify,
			"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
			unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		},
		{
			"killable without a listener", `"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]`,
			"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.needs != "" && !slices.Contains(supported, c.needs) {
				t.Skipf("this kernel does not take %s", c.needs)
			}
			f, err := Compile(parse(t, `{"defaultAction": "SCMP_ACT_ALLOW", `+c.fields+`}`))
			if err != nil {
				t.Fatal(err)
			}
			if f.Flags != c.want || f.Notify != (c.want&unix.SECCOMP_FILTER_FLAG_NEW_LISTENER != 0) {
				t.Errorf("flags %#x, notify %v, want flags %#x", f.Flags, f.Notify, c.want)
			}
		})
	}
}

func TestKernelThatLacksFlagIsTold(t *testing.T) {
	if err := probeFlag(1 << 30); err != unix.EINVAL {
		t.Errorf("probing a flag that does not exist: %v, want EINVAL", err)
	}
}

func TestSupportedListsEveryWordOfTheSpec(t *testing.T) {
	f := Supported()
	for what, n := range map[string][2]int{
		"actions": {len(f.Actions), 9}, "operators": {len(f.Operators), 7}, "archs": {len(f.Archs), 23}, "flags": {len(f.KnownFlags), 4},
	} {
		if n[0] != n[1] {
			t.Errorf("%d %s, want %d", n[0], what, n[1])
		}
	}
	for _, flag := range f.SupportedFlags {
		if !slices.Contains(f.KnownFlags, flag) {
			t.Errorf("%s is supported and not known", flag)
		}
	}
}
