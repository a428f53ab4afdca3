package libcontainer

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// stepLabel asks the security module for the label of the user's program: it
// takes effect at the next exec. apparmor(7), selinux(8).
func stepLabel(b *build) error {
	if b.verb == executing && b.labelled() && !b.labelNeedsHost() {
		b.ownProc()
	}
	if p := b.process.ApparmorProfile; p != "" && p != "unconfined" {
		b.At("process.apparmorProfile", p)
		if !apparmorEnabled() {
			return fmt.Errorf("process.apparmorProfile (%s): AppArmor is not enabled in this kernel", p)
		}
		// Linux 5.8 gives AppArmor a directory of its own, for stacked modules.
		old, end := b.NewLabel(), b.NewLabel()
		text := []byte("exec " + p)
		b.WriteFile(b.proc, "thread-self/attr/apparmor/exec", text).On(old, unix.ENOENT).Then(end).
			Because(unix.ENOENT, "the profile is not loaded")
		b.Mark(old)
		b.WriteFile(b.proc, "thread-self/attr/exec", text).Because(unix.ENOENT, "the profile is not loaded")
		b.Mark(end)
	}
	if l := b.process.SelinuxLabel; l != "" {
		b.At("process.selinuxLabel", l)
		if !selinuxEnabled() {
			return fmt.Errorf("process.selinuxLabel (%s): SELinux is not enabled in this kernel", l)
		}
		b.WriteFile(b.proc, "thread-self/attr/exec", []byte(l))
		b.WriteFile(b.proc, "thread-self/attr/keycreate", []byte(l))
	}
	return nil
}

// labelled says whether the user's program gets a label.
func (b *build) labelled() bool {
	p := b.process
	return p.ApparmorProfile != "" && p.ApparmorProfile != "unconfined" || p.SelinuxLabel != ""
}

// ownProc makes a procfs that nobody else sees, of the pid namespace that was
// joined: the host's is closed (see join), and the container's may not be one.
func (b *build) ownProc() {
	b.At("process", "")
	fs := b.Fsopen("proc").Into()
	b.FsconfigCreate(fs, "proc")
	b.Fsmount(fs, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC).To(b.proc)
	b.Close(fs)
}

// checkMountLabel refuses linux.mountLabel where nothing would heed it, not even
// the file systems that take an option for it.
func (b *build) checkMountLabel() error {
	if b.spec.Linux == nil || b.spec.Linux.MountLabel == "" || selinuxEnabled() {
		return nil
	}
	return fmt.Errorf("linux.mountLabel (%s): SELinux is not enabled in this kernel", b.spec.Linux.MountLabel)
}

func apparmorEnabled() bool {
	v, err := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	return err == nil && strings.HasPrefix(string(v), "Y")
}

func selinuxEnabled() bool {
	var fs unix.Statfs_t
	return unix.Statfs("/sys/fs/selinux", &fs) == nil && fs.Type == unix.SELINUX_MAGIC
}
