package specconv

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestReportsTheProcess(t *testing.T) {
	const noID = `(4294967295): is no id: the kernel takes it for "do not change"`
	runBroken(t, Host{}, []broken{
		{`{"process": {"args": null}}`, []string{"process.args: is missing or empty: there is nothing to execute"}},
		{`{"process": {"args": [""]}}`, []string{`process.args[0] (""): is empty: there is nothing to execute`}},
		{`{"process": {"args": ["sh", ""]}}`, nil},
		{`{"process": {"cwd": null}}`, []string{"process.cwd: is missing or empty"}},
		{`{"process": {"cwd": "a/b"}}`, []string{`process.cwd ("a/b"): must be an absolute path`}},
		{`{"process": {"env": ["A=", "B", "=C", ""]}}`, []string{
			`process.env[1] ("B"): must have the form NAME=value`,
			`process.env[2] ("=C"): must have the form NAME=value`,
			`process.env[3] (""): must have the form NAME=value`,
		}},
		{`{"process": {"user": {"uid": 4294967295, "gid": 4294967295, "additionalGids": [1, 4294967295]}}}`, []string{
			"process.user.additionalGids[1] " + noID, "process.user.gid " + noID, "process.user.uid " + noID,
		}},
		{`{"process": {"user": {"umask": 512}}}`, []string{"process.user.umask (512): is more than 511, which is 0777 in octal"}},
		{`{"process": {"user": {"umask": 511}}}`, nil},
		{`{"process": {"oomScoreAdj": 1001}}`, []string{"process.oomScoreAdj (1001): must be between -1000 and 1000"}},
		{`{"process": {"oomScoreAdj": -1000}}`, nil},
		{`{"process": {"apparmorProfile": "a\nb", "selinuxLabel": "a\"b"}}`, []string{
			`process.apparmorProfile ("a\nb"): must not contain control characters or quotes`,
			`process.selinuxLabel ("a\"b"): must not contain control characters or quotes`,
		}},
		{`{"process": {"terminal": true, "consoleSize": {"height": 65536, "width": 80}}}`, []string{
			"process.consoleSize.height (65536): is more than 65535",
		}},
		{`{"process": {"terminal": false, "consoleSize": {"height": 65536, "width": 80}}}`, nil},
		{`{"process": {"capabilities": {"bounding": ["CAP_NOT_YET"]}}}`, nil}, // a warning
		{`{"process": {"execCPUAffinity": {"initial": "0-", "final": "3-1"}}}`, []string{
			`process.execCPUAffinity.final ("3-1"): the range "3-1" runs backwards`,
			`process.execCPUAffinity.initial ("0-"): "" is not a number; a list looks like 0-3,7`,
		}},
		{`{"process": {"execCPUAffinity": {"initial": "0-3,7", "final": ""}}}`, nil},
		{`{"process": {"ioPriority": {"class": "IOPRIO_CLASS_NONE", "priority": 8}}}`, []string{
			`process.ioPriority.class ("IOPRIO_CLASS_NONE"): is not an I/O scheduling class; ` +
				`known values: IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE`,
			"process.ioPriority.priority (8): must be between 0 and 7",
		}},
	})
}

func TestReportsRlimits(t *testing.T) {
	runBroken(t, Host{}, []broken{
		{`{"process": {"rlimits": [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}]}}`, []string{
			`process.rlimits[0].type ("RLIMIT_FOO"): is not a resource limit; known values: RLIMIT_CPU, RLIMIT_FSIZE, ` +
				`RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, ` +
				`RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME`,
		}},
		{`{"process": {"rlimits": [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}, {"type": "RLIMIT_CPU", "soft": 1, "hard": 1}]}}`, []string{
			"process.rlimits[0].soft (2): is more than the hard limit, 1",
			`process.rlimits[1].type ("RLIMIT_CPU"): is limited twice: by rlimits[0] too`,
		}},
		{`{"process": {"rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]}}`, nil},
		{`{"process": {"rlimits": [{"type": "RLIMIT_CORE", "hard": 1}]}}`, []string{
			"process.rlimits[0].soft: is missing, and is REQUIRED by the spec",
		}},
		{`{"process": {"rlimits": [{"type": "RLIMIT_CORE", "soft": 1}]}}`, []string{
			"process.rlimits[0].hard: is missing, and is REQUIRED by the spec",
			"process.rlimits[0].soft (1): is more than the hard limit, 0",
		}},
		{`{"process": {"rlimits": [{"type": "RLIMIT_CORE", "soft": 18446744073709551615, "hard": 18446744073709551615}]}}`, nil},
	})
}

func TestReportsTheScheduler(t *testing.T) {
	const policies = "; known values: SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE"
	runBroken(t, Host{}, []broken{
		{`{"process": {"scheduler": {"policy": "SCHED_X"}}}`, []string{`process.scheduler.policy ("SCHED_X"): is not a scheduling policy` + policies}},
		{`{"process": {"scheduler": {"policy": "SCHED_ISO"}}}`, []string{`process.scheduler.policy ("SCHED_ISO"): is a policy that Linux does not have` + policies}},
		{`{"process": {"scheduler": {"policy": "SCHED_OTHER", "nice": 20, "flags": ["SCHED_FLAG_X"]}}}`, []string{
			`process.scheduler.flags[0] ("SCHED_FLAG_X"): is not a scheduling flag; known values: SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM, ` +
				`SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS, SCHED_FLAG_UTIL_CLAMP_MIN, SCHED_FLAG_UTIL_CLAMP_MAX`,
			"process.scheduler.nice (20): must be between -20 and 19",
		}},
		{`{"process": {"scheduler": {"policy": "SCHED_FIFO"}}}`, []string{"process.scheduler.priority (0): must be between 1 and 99 with SCHED_FIFO"}},
		{`{"process": {"scheduler": {"policy": "SCHED_RR", "priority": 100}}}`, []string{"process.scheduler.priority (100): must be between 1 and 99 with SCHED_RR"}},
		{`{"process": {"scheduler": {"policy": "SCHED_BATCH", "priority": 1, "runtime": 5}}}`, []string{
			"process.scheduler.priority (1): has no meaning with SCHED_BATCH; it goes with SCHED_FIFO and SCHED_RR",
			"process.scheduler.runtime (5): has no meaning with SCHED_BATCH; it goes with SCHED_DEADLINE",
		}},
		{`{"process": {"scheduler": {"policy": "SCHED_DEADLINE"}}}`, []string{"process.scheduler.runtime (0): must be at least 1024 ns with SCHED_DEADLINE"}},
		{`{"process": {"scheduler": {"policy": "SCHED_DEADLINE", "runtime": 5000, "deadline": 4000}}}`, []string{
			"process.scheduler.deadline (4000): must not be less than the runtime, 5000",
		}},
		{`{"process": {"scheduler": {"policy": "SCHED_DEADLINE", "runtime": 5000, "deadline": 6000, "period": 5500}}}`, []string{
			"process.scheduler.period (5500): must not be less than the deadline, 6000",
		}},
		{`{"process": {"scheduler": {"policy": "SCHED_DEADLINE", "runtime": 5000, "deadline": 9223372036854775808}}}`, []string{
			"process.scheduler.deadline (9223372036854775808): is more than 9223372036854775807",
		}},
		{`{"process": {"scheduler": {"policy": "SCHED_DEADLINE", "runtime": 5000, "deadline": 6000, "period": 9223372036854775808}}}`, []string{
			"process.scheduler.period (9223372036854775808): is more than 9223372036854775807",
		}},
		{`{"process": {"scheduler": {"policy": "SCHED_DEADLINE", "runtime": 5000, "deadline": 6000}}}`, nil},
	})
}

func TestReportsIdsThatTheUserNamespaceDoesNotHave(t *testing.T) {
	const users = `"namespaces": [{"type": "user"}, {"type": "mount"}],
		"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}, {"containerID": 20, "hostID": 2000, "size": 1}],
		"gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}]`
	runBroken(t, Host{}, []broken{
		{`{"process": {"user": {"uid": 20, "gid": 0}}, "linux": {` + users + `}}`, nil},
		{`{"process": {"user": {"uid": 10, "gid": 1, "additionalGids": [0, 5]}}, "linux": {` + users + `}}`, []string{
			"process.user.additionalGids[1] (5): is not mapped in the user namespace: linux.gidMappings has 0",
			"process.user.gid (1): is not mapped in the user namespace: linux.gidMappings has 0",
			"process.user.uid (10): is not mapped in the user namespace: linux.uidMappings has 0-9,20",
		}},
		{`{"process": {"user": {"uid": 10}}, "linux": {"namespaces": [{"type": "user", "path": "/proc/1/ns/user"}, {"type": "mount"}]}}`, nil},
		{`{"mounts": [{"destination": "/dev/pts", "type": "devpts", "options": ["gid=5", "uid=x", "mode=620"]}], "linux": {` + users + `}}`, []string{
			"mounts[0].options[0] (5): is not mapped in the user namespace: linux.gidMappings has 0",
		}},
	})
}

func TestChecksAProcessAgainstItsContainer(t *testing.T) {
	s := &specs.Spec{Linux: &specs.Linux{
		Namespaces:  []specs.LinuxNamespace{{Type: specs.UserNamespace}},
		UIDMappings: []specs.LinuxIDMapping{{Size: 1}},
		GIDMappings: []specs.LinuxIDMapping{{Size: 1}},
	}}
	p := &specs.Process{Args: []string{"sh"}, Cwd: "/", User: specs.User{UID: 7}}
	err := CheckProcess(p, s, Host{})
	if want := "process.user.uid (7): is not mapped in the user namespace: linux.uidMappings has 0"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	p.User.UID = 0
	if err := CheckProcess(p, s, Host{}); err != nil {
		t.Error(err)
	}
	if err := CheckProcess(p, nil, Host{}); err != nil {
		t.Error(err)
	}
}
