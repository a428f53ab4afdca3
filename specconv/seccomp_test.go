package specconv

import "testing"

func seccompCase(seccomp string, want ...string) broken {
	for i := range want {
		want[i] = "linux.seccomp." + want[i]
	}
	return broken{`{"linux": {"seccomp": {` + seccomp + `}}}`, want}
}

func TestReportsSeccomp(t *testing.T) {
	const actions = "; known values: SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, " +
		"SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY"
	const errno = "; it goes with SCMP_ACT_ERRNO and SCMP_ACT_TRACE"
	const allow = `"defaultAction": "SCMP_ACT_ALLOW", `
	runBroken(t, Host{}, []broken{
		seccompCase(``), // a warning
		seccompCase(`"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_SHEB"],
			"flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"], "syscalls": [{"names": ["read", "not_yet_known"], "action": "SCMP_ACT_ALLOW",
			"args": [{"index": 5, "value": 18446744073709551615, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]}]`),
		seccompCase(`"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]`, `defaultAction (""): is not a seccomp action`+actions),
		seccompCase(`"defaultAction": "ALLOW"`, `defaultAction ("ALLOW"): is not a seccomp action`+actions),
		seccompCase(`"defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 1`, `defaultErrnoRet (1): must not be set with SCMP_ACT_KILL`+errno),
		seccompCase(`"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4095`, `defaultErrnoRet (4095): is more than 4094`),
		seccompCase(`"defaultAction": "SCMP_ACT_TRACE", "defaultErrnoRet": 65536`, `defaultErrnoRet (65536): is more than 65535`),
		seccompCase(allow+`"architectures": ["amd64"], "flags": ["LOG"]`,
			`architectures[0] ("amd64"): is not an architecture; known values: SCMP_ARCH_X86, SCMP_ARCH_X86_64, SCMP_ARCH_X32, SCMP_ARCH_ARM, `+
				`SCMP_ARCH_AARCH64, SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, `+
				`SCMP_ARCH_PPC, SCMP_ARCH_PPC64, SCMP_ARCH_PPC64LE, SCMP_ARCH_S390, SCMP_ARCH_S390X, SCMP_ARCH_PARISC, SCMP_ARCH_PARISC64, `+
				`SCMP_ARCH_RISCV64, SCMP_ARCH_LOONGARCH64, SCMP_ARCH_M68K, SCMP_ARCH_SH, SCMP_ARCH_SHEB`,
			`flags[0] ("LOG"): is not a seccomp flag; known values: SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, `+
				`SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`),
		seccompCase(allow+`"syscalls": [{"names": [], "action": "SCMP_ACT_ALLOW", "errnoRet": 0}, {"names": [""], "action": "X"}]`,
			`syscalls[0].errnoRet (0): must not be set with SCMP_ACT_ALLOW`+errno,
			`syscalls[0].names: is missing or empty`,
			`syscalls[1].action ("X"): is not a seccomp action`+actions,
			`syscalls[1].names[0] (""): must not be empty`),
		seccompCase(allow+`"syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 6, "value": 0, "op": "=="}]}]`,
			`syscalls[0].args[0].index (6): must be between 0 and 5: system calls have six arguments`,
			`syscalls[0].args[0].op ("=="): is not an operator; known values: SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, `+
				`SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ`),
		seccompCase(allow+`"syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}], "listenerMetadata": "x"`,
			`listenerPath: is missing, but syscalls[0].action is SCMP_ACT_NOTIFY`,
			`listenerMetadata ("x"): must not be set without listenerPath`),
		seccompCase(`"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/s"`,
			`defaultAction ("SCMP_ACT_NOTIFY"): cannot be the default: it would stop the system calls that hand over the listener`),
		seccompCase(allow+`"listenerPath": "/s", "syscalls": [{"names": ["mkdir", "write"], "action": "SCMP_ACT_NOTIFY"}]`,
			`syscalls[0].names[1] ("write"): cannot have SCMP_ACT_NOTIFY: the listener is handed over by write(2)`),
	})
}
