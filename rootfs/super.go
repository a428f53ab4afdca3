package rootfs

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// namespaced are the file systems with one superblock for all mounts in a
// namespace: if ours were read-only, so would be those of others in there,
// such as the second container of a pod. The mount alone becomes read-only.
var namespaced = map[string]bool{"sysfs": true, "mqueue": true}

// super makes the superblock for m, whose context it leaves in v.fs. With
// writable, the superblock is not read-only whatever the options say.
func (v *View) super(m *mount, data []string, writable bool) {
	p := v.p
	fstype := m.spec.Type
	v.denied(p.Fsopen(fstype).To(v.fs), fstype)
	if m.spec.Source != "" {
		v.set("source=" + m.spec.Source)
	}
	for _, key := range m.SuperWords() {
		if key != "ro" || !writable && !namespaced[fstype] {
			v.set(key)
		}
	}
	for _, d := range data {
		v.set(d)
	}
	if fstype == "tmpfs" && !has(data, "mode") {
		v.keepMode()
	}
	v.explained(v.denied(p.FsconfigCreate(v.fs, fstype), fstype))
}

// denied says what EPERM means to a user namespace.
func (v *View) denied(op *plan.Op, fstype string) *plan.Op {
	if !v.o.Userns && !v.o.Rootless {
		return op
	}
	return op.Because(unix.EPERM, "this user namespace may not mount a "+fstype)
}

// set gives the file system context v.fs the option `key` or `key=value`.
func (v *View) set(option string) {
	if key, value, ok := strings.Cut(option, "="); ok {
		v.explained(v.p.FsconfigString(v.fs, key, value))
	} else {
		v.explained(v.p.FsconfigFlag(v.fs, option))
	}
}

// explained lets the failure of op say what the kernel has logged in the file
// system context v.fs, such as `tmpfs: Unknown parameter 'foo'`. fsopen(2).
func (v *View) explained(op *plan.Op) {
	ok := v.p.NewLabel()
	op.On(plan.Next, plan.AnyErrno).Then(ok)
	v.p.Ask("explain", []plan.Reg{v.fs}, func(c *plan.Call) error {
		failure := op.Fail(int32(c.Errno)) //nolint:gosec // an errno
		if len(c.Files) == 1 {
			failure.Fact += logged(int(c.Files[0].Fd()))
		}
		return failure
	})
	v.p.Mark(ok)
}

// logged are the errors in a file system context's log, each after a colon.
func logged(fs int) string {
	var b strings.Builder
	line := make([]byte, 1024)
	for {
		n, err := unix.Read(fs, line)
		if err != nil || n == 0 {
			return b.String()
		}
		if text, ok := strings.CutPrefix(strings.TrimSpace(string(line[:n])), "e "); ok {
			b.WriteString(": " + text)
		}
	}
}

// has says whether data sets key.
func has(data []string, key string) bool {
	for _, d := range data {
		if k, _, _ := strings.Cut(d, "="); k == key {
			return true
		}
	}
	return false
}

// unlabelled are the file systems that take no SELinux context: those of the
// kernel have their own, and an mqueue is labelled when it is mounted.
var unlabelled = map[string]bool{"proc": true, "sysfs": true, "mqueue": true}

// data is m's data for the file system, with the SELinux context.
func (v *View) data(m *mount) []string {
	label := v.linux().MountLabel
	if label == "" || unlabelled[m.spec.Type] || has(m.Data, "context") {
		return m.Data
	}
	return append(slices.Clone(m.Data), "context="+label)
}

// label gives the root of an mqueue its SELinux label.
func (v *View) label(m *mount, mnt plan.Reg) {
	label := v.linux().MountLabel
	if label == "" || m.spec.Type != "mqueue" {
		return
	}
	p := v.p
	p.Openat(mnt, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0).To(v.fs)
	p.Syscall("label the message queues", unix.SYS_FSETXATTR, v.fs,
		plan.Str("security.selinux"), plan.Str(label), plan.N(len(label)), plan.N(0))
	p.Close(v.fs)
}
