package seccomp

import (
	"os"
	"testing"

	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

func TestListenerAnswersNotifiedCall(t *testing.T) {
	f, err := Compile(parse(t, `{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent", "syscalls": [
		{"names": ["getppid"], "action": "SCMP_ACT_NOTIFY", "args": [{"index": 2, "op": "SCMP_CMP_GE", "value": 7}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(ends[0]), "ours"), os.NewFile(uintptr(ends[1]), "theirs")
	defer ours.Close()
	cmd := under(t, f, buildProbe(t), "native", hexadecimal(unix.SYS_GETPPID), "0", "0", "8")
	cmd.ExtraFiles = append(cmd.ExtraFiles, theirs)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	defer cmd.Process.Kill()

	var number [1]byte
	if _, err := ours.Read(number[:]); err != nil {
		t.Fatal(err)
	}
	pidfd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	listener, err := unix.PidfdGetfd(pidfd, int(number[0]), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(listener)
	if _, err := ours.Write(number[:]); err != nil {
		t.Fatal(err)
	}

	request, err := libseccomp.NotifReceive(libseccomp.ScmpFd(listener))
	if err != nil {
		t.Fatal(err)
	}
	if request.Data.Syscall != unix.SYS_GETPPID || request.Data.Args[2] != 8 {
		t.Errorf("the listener got %+v", request.Data)
	}
	answer := &libseccomp.ScmpNotifResp{ID: request.ID, Error: int32(unix.EXDEV)}
	if err := libseccomp.NotifRespond(libseccomp.ScmpFd(listener), answer); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code is checked
	if code := cmd.ProcessState.ExitCode(); code != int(unix.EXDEV) {
		t.Errorf("the probe exited with %d, want %d: %v", code, unix.EXDEV, cmd.ProcessState)
	}
}
