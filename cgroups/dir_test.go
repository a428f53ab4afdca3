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
	fd, err := d.open("file", unix.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Error("the descriptor outlives exec")
	}
	_ = unix.Close(fd)
	if _, err := d.open("link", unix.O_RDONLY); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link: %v", err)
	}
	if _, err := d.open("missing", unix.O_RDONLY); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a missing file: %v", err)
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
	if _, err := d.open("mount", unix.O_RDONLY|unix.O_DIRECTORY); !errors.Is(err, unix.EXDEV) {
		t.Error(err)
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
