package rootfs

import (
	"strings"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/internal/sys"
)

// moveRoot puts the new root over the old one, which stays below: for hosts
// whose root is an initramfs, where pivot_root(2) does not work. A process
// that may unmount and gets out must not find a procfs or sysfs there in which
// nothing is masked; the kernel also takes one that is visible as leave to
// mount a new one in a user namespace.
func (v *View) moveRoot() {
	p := v.p
	v.hideKernelMounts()
	p.Fchdir(v.Root)
	p.Mount(".", "/", "", unix.MS_MOVE, "")
	p.Syscall("chroot", unix.SYS_CHROOT, plan.Str("."))
}

// hideKernelMounts unmounts the host's procfs and sysfs wherever they are.
func (v *View) hideKernelMounts() {
	p := v.p
	for _, dir := range v.kernelMounts {
		gone := p.NewLabel()
		p.Mount("", dir, "", unix.MS_SLAVE|unix.MS_REC, "").On(gone, unix.EINVAL, unix.ENOENT)
		p.Syscall("unmount "+dir, unix.SYS_UMOUNT2, plan.Str(dir), plan.N(unix.MNT_DETACH)).
			On(plan.Next, unix.EINVAL, unix.EPERM).Then(gone)
		// Locked, in a user namespace: it can be covered only.
		p.Mount("tmpfs", dir, "tmpfs", unix.MS_RDONLY, "nr_blocks=1,nr_inodes=2,mode=555")
		p.Mark(gone)
	}
}

// hostKernelMounts are the places where a procfs or sysfs is mounted, the last
// one first, without those below root.
func hostKernelMounts(root string) ([]string, error) {
	info, err := sys.ReadProc("self/mountinfo")
	if err != nil {
		return nil, err
	}
	var list []string
	for line := range strings.Lines(string(info)) {
		left, right, _ := strings.Cut(line, " - ")
		fields := strings.Fields(left)
		fstype, _, _ := strings.Cut(right, " ")
		if len(fields) < 5 || (fstype != "proc" && fstype != "sysfs") {
			continue
		}
		dir := unescape(fields[4])
		if dir != root && !strings.HasPrefix(dir, strings.TrimSuffix(root, "/")+"/") {
			list = append([]string{dir}, list...)
		}
	}
	return list, nil
}

// unescape undoes what the kernel does to the paths of mountinfo, see proc_pid_mountinfo(5).
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
