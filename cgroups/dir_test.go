package cgroups

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestNeverOpensWhatIsNotTheCgroupsOwn(t *testing.T) {
	d := fake(t, files{"file": "text\n"})
	if err := os.Symlink("file", filepath.Join(d.path, "link")); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(string, int) (int, error){"openat2": d.open, "openat": d.openPlain} {
		fd, err := open("file", unix.O_RDONLY)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("%s: the descriptor outlives exec", name)
		}
		_ = unix.Close(fd)
		if _, err := open("link", unix.O_RDONLY); !errors.Is(err, unix.ELOOP) {
			t.Errorf("%s: a link: %v", name, err)
		}
		if _, err := open("missing", unix.O_RDONLY); !errors.Is(err, unix.ENOENT) {
			t.Errorf("%s: a missing file: %v", name, err)
		}
	}
}

func TestNeverOpensWhatIsMountedOver(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	d := fake(t, files{"file": "text\n"})
	other := filepath.Join(d.path, "mount")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", other, "tmpfs", 0, ""); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(other, unix.MNT_DETACH) })
	for name, open := range map[string]func(string, int) (int, error){"openat2": d.open, "openat": d.openPlain} {
		if _, err := open("mount", unix.O_RDONLY|unix.O_DIRECTORY); !errors.Is(err, unix.EXDEV) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpensNoDirectoryOfAnotherFileSystem(t *testing.T) {
	if _, err := openDir(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not on a cgroup file system") {
		t.Errorf("got %v", err)
	}
	if err := remove(t.TempDir()+"/x", time.Now()); err == nil || !strings.Contains(err.Error(), "not on a cgroup file system") {
		t.Errorf("got %v", err)
	}
}
