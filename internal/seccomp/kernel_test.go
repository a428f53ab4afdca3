package seccomp

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// These tests install filters. The test binary starts itself; the copy installs
// the filter and becomes testdata/probe.c, which makes one system call and exits
// with its errno.

const (
	childFlags = "SECCOMP_TEST_FLAGS"
	programFD  = 3
	listenerFD = 4 // where the child tells the number of its listener, and waits
)

func TestMain(m *testing.M) {
	if flags, ok := os.LookupEnv(childFlags); ok {
		installAndExec(flags)
	}
	os.Exit(m.Run())
}

// installAndExec does what the stage does with a Filter.
func installAndExec(text string) {
	runtime.LockOSThread()
	flags, err := strconv.ParseUint(text, 0, 64)
	must(err)
	program := make([]byte, maxInsns*insnSize)
	n, err := unix.Read(programFD, program)
	must(err)
	prog := unix.SockFprog{Len: uint16(n / insnSize), Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0]))}
	path, err := unix.BytePtrFromString(os.Args[1])
	must(err)
	argv, err := syscall.SlicePtrFromStrings(os.Args[1:])
	must(err)
	env := []*byte{nil}
	must(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	// From here on only calls that the filter must let through, and no Go runtime.
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flags), uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		must(errno)
	}
	if flags&unix.SECCOMP_FILTER_FLAG_NEW_LISTENER != 0 {
		b := byte(fd)
		unix.RawSyscall(unix.SYS_WRITE, listenerFD, uintptr(unsafe.Pointer(&b)), 1)
		unix.RawSyscall(unix.SYS_READ, listenerFD, uintptr(unsafe.Pointer(&b)), 1)
	}
	unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&env[0])))
	os.Exit(99)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(98)
	}
}

// buildProbe compiles testdata/probe.c.
func buildProbe(t *testing.T) string {
	t.Helper()
	probe := filepath.Join(t.TempDir(), "probe")
	out, err := exec.Command("cc", "-Wall", "-Werror", "-O1", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector",
		"-fno-builtin", "-o", probe, "testdata/probe.c").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return probe
}

// under makes a command that runs the probe under a filter.
func under(t *testing.T, f *Filter, probe string, args ...string) *exec.Cmd {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, f.Program, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	cmd := exec.Command(os.Args[0], append([]string{probe}, args...)...)
	cmd.Env = append(os.Environ(), childFlags+"="+strconv.FormatUint(f.Flags, 10), "GODEBUG=asyncpreemptoff=1")
	cmd.ExtraFiles = []*os.File{file}
	cmd.Stderr = os.Stderr
	return cmd
}

// outcome is an errno, 0 or the signal that killed the probe.
func outcome(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled():
		return unix.SignalName(status.Signal())
	case status.ExitStatus() == 0:
		return "0"
	}
	return unix.ErrnoName(syscall.Errno(status.ExitStatus()))
}

func hexadecimal(n uintptr) string { return strconv.FormatUint(uint64(n), 16) }

const getppid32 = 64 // asm/unistd_32.h

func TestKernelDoesWhatProfileSays(t *testing.T) {
	probe := buildProbe(t)
	// For the child to get as far as the probe's call.
	const base = `{"names": ["execve", "exit_group", "rt_sigreturn"], "action": "SCMP_ACT_ALLOW"}`
	named := `"syscalls": [{"names": ["getppid", "openat2"], "action": "SCMP_ACT_ALLOW"}, ` + base + `]`
	getppid, newer := hexadecimal(unix.SYS_GETPPID), hexadecimal(unix.SYS_OPENAT2+1)
	rule := func(action, more string) string {
		return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getppid"], "action": "` + action + `"` + more + `}]}`
	}
	arg := func(op, value string) string {
		return rule("SCMP_ACT_ERRNO", `, "args": [{"index": 1, "op": "SCMP_CMP_`+op+`", "value": `+value+`}]`)
	}
	type call = []string
	for _, c := range []struct {
		name, profile string
		call          call
		want          string
	}{
		{"allowed", `{"defaultAction": "SCMP_ACT_ERRNO", ` + named + `}`, call{"native", getppid}, "0"},
		{"not named", `{"defaultAction": "SCMP_ACT_ERRNO", ` + named + `}`, call{"native", hexadecimal(unix.SYS_GETPID)}, "EPERM"},
		{"default errno", `{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, ` + named + `}`, call{"native", hexadecimal(unix.SYS_GETPID)}, "EACCES"},
		{"newer", `{"defaultAction": "SCMP_ACT_ERRNO", ` + named + `}`, call{"native", newer}, "ENOSYS"},
		{"far newer", `{"defaultAction": "SCMP_ACT_ERRNO", ` + named + `}`, call{"native", "3fffffff"}, "ENOSYS"},
		{"newer where others are killed", `{"defaultAction": "SCMP_ACT_KILL_PROCESS", ` + named + `}`, call{"native", newer}, "ENOSYS"},
		{"kill", `{"defaultAction": "SCMP_ACT_KILL", ` + named + `}`, call{"native", hexadecimal(unix.SYS_GETPID)}, "SIGSYS"},
		{"kill thread", rule("SCMP_ACT_KILL_THREAD", ""), call{"native", getppid}, "SIGSYS"},
		{"kill process", rule("SCMP_ACT_KILL_PROCESS", ""), call{"native", getppid}, "SIGSYS"},
		{"trap", rule("SCMP_ACT_TRAP", ""), call{"native", getppid}, "SIGSYS"},
		{"errno", rule("SCMP_ACT_ERRNO", `, "errnoRet": 114`), call{"native", getppid}, "EALREADY"},
		{"errno 0 is success", rule("SCMP_ACT_ERRNO", `, "errnoRet": 0`), call{"native", getppid}, "0"},
		{"trace without tracer", rule("SCMP_ACT_TRACE", `, "errnoRet": 7`), call{"native", getppid}, "ENOSYS"},
		{"log", rule("SCMP_ACT_LOG", ""), call{"native", getppid}, "0"},
		{"equal", arg("EQ", "4294967297"), call{"native", getppid, "0", "100000001"}, "EPERM"},
		{"equal in the lower half only", arg("EQ", "4294967297"), call{"native", getppid, "0", "1"}, "0"},
		{"greater", arg("GT", "4294967297"), call{"native", getppid, "0", "200000000"}, "EPERM"},
		{"not greater", arg("GT", "4294967297"), call{"native", getppid, "0", "100000001"}, "0"},
		{
			"masked", rule("SCMP_ACT_ERRNO", `, "args": [{"index": 0, "op": "SCMP_CMP_MASKED_EQ", "value": 240, "valueTwo": 32}]`),
			call{"native", getppid, "ff2f"},
			"EPERM",
		},
		{
			"two conditions on one argument are alternatives", rule("SCMP_ACT_ERRNO",
				`, "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 1}, {"index": 0, "op": "SCMP_CMP_EQ", "value": 2}]`),
			call{"native", getppid, "2"},
			"EPERM",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Compile(parse(t, c.profile))
			if err != nil {
				t.Fatal(err)
			}
			if got := outcome(t, under(t, f, probe, c.call...)); got != c.want {
				t.Errorf("%v: %s, want %s", c.call, got, c.want)
			}
		})
	}
}

// 32-bit calls and x32 are ways around a filter that looks at numbers only.
func TestOtherABIsAreNoWayAroundFilter(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the probe knows another ABI on amd64 only")
	}
	probe := buildProbe(t)
	if out := outcome(t, exec.Command(probe, "int80", hexadecimal(getppid32))); out != "0" {
		t.Skipf("this kernel has no 32-bit calls: getppid by int 0x80 gives %s", out)
	}
	const (
		getppid = `"syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]}`
		socket  = `"syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]}`
		openat2 = `"syscalls": [{"names": ["execve", "exit_group", "openat2"], "action": "SCMP_ACT_ALLOW"}]}`
		allow   = `{"defaultAction": "SCMP_ACT_ALLOW", `
		x86     = `"architectures": ["SCMP_ARCH_X86"], `
	)
	x32, through := hexadecimal(unix.SYS_GETPPID|x32Bit), hexadecimal(socketcall)
	for _, c := range []struct {
		name, profile string
		call          []string
		want          string
	}{
		{"x86 not listed", allow + getppid, []string{"int80", hexadecimal(getppid32)}, "SIGSYS"},
		{"x86 listed", allow + x86 + getppid, []string{"int80", hexadecimal(getppid32)}, "EACCES"},
		{"x86 newer", `{"defaultAction": "SCMP_ACT_ERRNO", ` + x86 + openat2, []string{"int80", hexadecimal(438)}, "ENOSYS"},
		{"x86 socket by socketcall", allow + x86 + socket, []string{"int80", through, "1"}, "EACCES"},
		{"x86 bind by socketcall", allow + x86 + socket, []string{"int80", through, "2"}, "EFAULT"},
		{"x32 not listed", allow + getppid, []string{"native", x32}, "SIGSYS"},
		{"x32 listed", allow + `"architectures": ["SCMP_ARCH_X32"], ` + getppid, []string{"native", x32}, "EACCES"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Compile(parse(t, c.profile))
			if err != nil {
				t.Fatal(err)
			}
			if got := outcome(t, under(t, f, probe, c.call...)); got != c.want {
				t.Errorf("%v: %s, want %s", c.call, got, c.want)
			}
		})
	}
}
