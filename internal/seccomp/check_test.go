package seccomp

import (
	"encoding/json"
	"strings"
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

const (
	knownActions = "known: SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, " +
		"SCMP_ACT_LOG, SCMP_ACT_NOTIFY, SCMP_ACT_TRACE, SCMP_ACT_TRAP"
	knownOperators = "known: SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_LE, SCMP_CMP_LT, SCMP_CMP_MASKED_EQ, SCMP_CMP_NE"
	knownFlags     = "known: SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, " +
		"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
)

func TestRefusesBadProfileNamingTheField(t *testing.T) {
	for _, c := range []struct{ profile, want string }{
		{
			`{"defaultAction": "ALLOW"}`,
			"linux.seccomp.defaultAction (ALLOW): unknown action; " + knownActions,
		},
		{
			`{"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`,
			"linux.seccomp.defaultAction (): unknown action; " + knownActions,
		},
		{
			`{"defaultAction": "SCMP_ACT_NOTIFY"}`,
			"linux.seccomp.defaultAction (SCMP_ACT_NOTIFY): cannot be the default: the listener is handed over by system calls " +
				"made after the filter is in force; give the action to the syscalls that need it",
		},
		{
			`{"defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 38}`,
			"linux.seccomp.defaultErrnoRet (38): SCMP_ACT_KILL takes no errno; only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do",
		},
		{
			`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4095}`,
			"linux.seccomp.defaultErrnoRet (4095): not an errno; the greatest is 4094",
		},
		{
			`{"defaultAction": "SCMP_ACT_TRACE", "defaultErrnoRet": 65536}`,
			"linux.seccomp.defaultErrnoRet (65536): too great for a tracer's 16 bits",
		},
		{
			`{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG", "LOG"]}`,
			"linux.seccomp.flags[1] (LOG): unknown flag; " + knownFlags,
		},
		{
			`{"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}`,
			"linux.seccomp.listenerMetadata (x): must not be set without linux.seccomp.listenerPath",
		},
		{
			`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_KILL"}]}`,
			"linux.seccomp.syscalls[0].names ([]): must name at least one system call",
		},
		{
			`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL"}, {"names": ["write"], "action": "SCMP_ACT_X"}]}`,
			"linux.seccomp.syscalls[1].action (SCMP_ACT_X): unknown action; " + knownActions,
		},
		{
			`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "errnoRet": 0}]}`,
			"linux.seccomp.syscalls[0].errnoRet (0): SCMP_ACT_LOG takes no errno; only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do",
		},
		{
			`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}`,
			"linux.seccomp.syscalls[0].args[0].index (6): system calls have the arguments 0 to 5",
		},
		{
			`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": 1, "op": "=="}]}]}`,
			"linux.seccomp.syscalls[0].args[0].op (==): unknown operator; " + knownOperators,
		},
		{
			`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
			`linux.seccomp.listenerPath (""): required, since linux.seccomp.syscalls[0].action is SCMP_ACT_NOTIFY`,
		},
		{
			`{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent", "syscalls": [{"names": ["mount", "write"], "action": "SCMP_ACT_NOTIFY"}]}`,
			"linux.seccomp.syscalls[0].names[1] (write): cannot have SCMP_ACT_NOTIFY: the listener is handed over by write(2) " +
				"made after the filter is in force",
		},
	} {
		if _, err := Compile(parse(t, c.profile)); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.profile, err, c.want)
		}
	}
}

func TestRefusesUnknownArchitecture(t *testing.T) {
	err := Check(parse(t, `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_VAX"]}`))
	const want = "linux.seccomp.architectures[1] (SCMP_ARCH_VAX): unknown architecture; known: SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
}

func TestReportsAllProblemsOfProfile(t *testing.T) {
	err := Check(parse(t, `{"defaultAction": "X", "architectures": ["Y"], "flags": ["Z"], "syscalls": [{"names": [], "action": "W"}],
		"listenerMetadata": "V"}`))
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v is not joined", err)
	}
	if n := len(joined.Unwrap()); n != 6 {
		t.Errorf("%d problems, want 6: %v", n, err)
	}
}

func TestProfileWithoutDefaultActionAndSyscallsIsNoFilter(t *testing.T) {
	for _, s := range []*specs.LinuxSeccomp{nil, parse(t, `{"architectures": ["SCMP_ARCH_X86_64"]}`)} {
		if f, err := Compile(s); f != nil || err != nil {
			t.Errorf("%v, %v", f, err)
		}
	}
}
