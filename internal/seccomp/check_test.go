package seccomp

import (
	"encoding/json"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// parse reads linux.seccomp as it is in config.json.
func parse(t testing.TB, text string) *specs.LinuxSeccomp {
	t.Helper()
	s := new(specs.LinuxSeccomp)
	if err := json.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// What is wrong with each, specconv tells.
func TestRefusesProfilesThatMeanNothing(t *testing.T) {
	for profile, want := range map[string]string{
		`{"defaultAction": "ALLOW"}`:                                                                           "defaultAction",
		`{"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`:                                      "defaultAction",
		`{"defaultAction": "SCMP_ACT_NOTIFY"}`:                                                                 "defaultAction",
		`{"defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 38}`:                                            "defaultAction",
		`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4095}`:                                         "defaultAction",
		`{"defaultAction": "SCMP_ACT_TRACE", "defaultErrnoRet": 65536}`:                                        "defaultAction",
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86", "VAX"]}`:                       "architectures[1]",
		`{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG", "LOG"]}`:                     "flags[1]",
		rules(`{"names": ["read"], "action": "SCMP_ACT_KILL"}, {"action": "SCMP_ACT_X"}`):                      "syscalls[1]",
		rules(`{"names": ["read"], "action": "SCMP_ACT_LOG", "errnoRet": 0}`):                                  "syscalls[0]",
		rules(`{"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{"op": "=="}]}`):                        "syscalls[0].args[0]",
		rules(`{"names": ["read"], "args": [{"index": 6, "op": "SCMP_CMP_EQ"}], ` + killed):                    "syscalls[0].args[0]",
		rules(`{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}`):                                             "syscalls[0]",
		rules(`{"names": ["mount", "write"], "action": "SCMP_ACT_NOTIFY"}], "listenerPath": "/a", "flags": [`): "syscalls[0]",
	} {
		if _, err := Compile(parse(t, profile)); err == nil || err.Error() != "linux.seccomp."+want+": cannot be compiled" {
			t.Errorf("%s: got %v, want %s", profile, err, want)
		}
	}
}

const killed = `"action": "SCMP_ACT_KILL"}`

// rules is a profile that allows all else.
func rules(list string) string {
	return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [` + list + `]}`
}

func TestProfileWithoutDefaultActionAndSyscallsIsNoFilter(t *testing.T) {
	for _, s := range []*specs.LinuxSeccomp{nil, parse(t, `{"architectures": ["SCMP_ARCH_X86_64"]}`)} {
		if f, err := Compile(s); f != nil || err != nil {
			t.Errorf("%v, %v", f, err)
		}
	}
}
