package bpf

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func loaded(t *testing.T, insns []Insn) (int, error) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("loading a program needs root")
	}
	fd, err := LoadDevice("test_devices", insns)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		t.Skipf("bpf(2): %v", err)
	}
	if err == nil {
		t.Cleanup(func() { _ = unix.Close(fd) })
	}
	return fd, err
}

func TestLoadedProgramKeepsItsName(t *testing.T) {
	fd, err := loaded(t, []Insn{MovImm(R0, 1), Exit()})
	if err != nil {
		t.Fatal(err)
	}
	if name, err := Name(fd); err != nil || name != "test_devices" {
		t.Errorf("the name is %q, %v", name, err)
	}
}

func TestRefusedProgramIsExplainedByTheVerifier(t *testing.T) {
	_, err := loaded(t, []Insn{Exit()}) // no result
	if err == nil || !strings.Contains(err.Error(), `the verifier says "`) || !strings.Contains(err.Error(), "R0 !read_ok") {
		t.Errorf("got %v", err)
	}
}

func TestAttachRefusesWhatIsNoCgroup(t *testing.T) {
	fd, err := loaded(t, []Insn{MovImm(R0, 1), Exit()})
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := AttachDevice(int(null.Fd()), fd, -1); !errors.Is(err, unix.EBADF) {
		t.Errorf("got %v", err)
	}
	if _, err := Devices(int(null.Fd())); !errors.Is(err, unix.EBADF) {
		t.Errorf("got %v", err)
	}
}
