package cgroups

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func FuzzCgroupsPath(f *testing.F) {
	for _, path := range []string{"", "/", "/a/b", "a", "../a", "/a/../../b", "a//b/./c", "..a/..", "\n", "/a\x00"} {
		f.Add(path, "id", "/own/cgroup")
	}
	f.Fuzz(func(t *testing.T, path, id, own string) {
		if strings.Contains(id, "/") || id == "" || id == "." || id == ".." { // no container's
			return
		}
		clean, err := cleanPath(path, id)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "linux.cgroupsPath (") {
				t.Errorf("the error does not name the field: %v", err)
			}
			return
		}
		if again, err := cleanPath(clean, id); err != nil || again != clean {
			t.Errorf("%q became %q, and that %q, %v", path, clean, again, err)
		}
		own = filepath.Clean("/" + own)
		for _, m := range []Mount{{Dir: "/cg", Root: "/", Unified: true}, {Dir: "/cg", Root: "/", Controllers: []string{"cpu"}}} {
			h := &Host{V2: m.Unified, Mounts: []Mount{m}, own: map[string]string{"": own, "cpu": own}}
			dir, err := h.locate(m, clean)
			if err != nil {
				t.Fatalf("%q: %v", path, err)
			}
			if !strings.HasPrefix(dir, "/cg/") || filepath.Clean(dir) != dir {
				t.Errorf("%q is at %q, outside the hierarchy", path, dir)
			}
		}
	})
}

// rulesFrom reads device rules from bytes, three for each, that meet often.
func rulesFrom(b []byte) []deviceRule {
	var rules []deviceRule
	for ; len(b) >= 3 && len(rules) < 8; b = b[3:] {
		r := deviceRule{
			allow: b[0]&1 != 0, kind: "abc"[b[0]>>1%3], access: b[0]>>3%7 + 1,
			major: int64(b[1]%5) - 1, minor: int64(b[2]%5) - 1,
		}
		rules = append(rules, r)
	}
	return rules
}

func FuzzDeviceRulesMeanTheSameOnV1AndV2(f *testing.F) {
	f.Add([]byte{1, 0, 0, 2, 1, 3, 5, 1, 0})
	f.Add([]byte{0x38, 0, 0, 0x3b, 2, 4, 0x3c, 2, 0})
	accesses := allAccesses()
	f.Fuzz(func(t *testing.T, b []byte) {
		rules := rulesFrom(b)
		code := deviceCode(rules)
		set, v1 := deviceSetOf(rules)
		for _, a := range accesses {
			want := allows(rules, a)
			if got := interpret(t, code, a); got != want {
				t.Fatalf("v2: %+v: %c %d:%d %s is %v", rules, a.kind, a.major, a.minor, accessText(a.bits), got)
			}
			if got := set.kernelAllows(a); v1 == nil && got != want {
				t.Fatalf("v1: %+v: %c %d:%d %s is %v", rules, a.kind, a.major, a.minor, accessText(a.bits), got)
			}
		}
	})
}

func FuzzDeviceLists(f *testing.F) {
	f.Add("a *:* rwm\n")
	f.Add("c 1:3 rwm\nb *:* m\nc 136:* rw\n")
	f.Add("c 1 3 rwm extra\n")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := parseDevices(text)
		if err != nil {
			return
		}
		var lines []string
		for _, e := range set.exceptions {
			lines = append(lines, e.String())
		}
		again, err := parseDevices(strings.Join(lines, "\n"))
		if err != nil || !slices.Equal(again.exceptions, set.exceptions) {
			t.Errorf("%q was read as %v, and that as %v, %v", text, set, again, err)
		}
	})
}
