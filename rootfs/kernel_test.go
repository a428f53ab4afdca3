package rootfs

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// without makes the stage live on a kernel that lacks a system call.
func (b *box) without(nr uint32) {
	b.before = func(p *plan.Plan) {
		filter := []unix.SockFilter{
			{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // seccomp_data.nr
			{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: 1},
			{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
			{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		}
		size := len(filter) * int(unsafe.Sizeof(filter[0]))
		p.Seccomp(unsafe.Slice((*byte)(unsafe.Pointer(&filter[0])), size), 0)
	}
}

func TestSaysWhichKernelIsNeeded(t *testing.T) {
	const mountAPI = ": the mount API with file descriptors is missing: hull needs Linux 5.6 or later, and no filter that hides it: function not implemented"
	for nr, want := range map[uint32]string{
		unix.SYS_OPEN_TREE: mountAPI,
		unix.SYS_FSOPEN:    "mounts[0] (/proc)" + mountAPI,
		unix.SYS_OPENAT2:   "mounts[0] (/proc): openat2 is missing: hull needs Linux 5.6 or later: function not implemented",
	} {
		b := newBox(t)
		b.without(nr)
		b.refuses(t, want)
	}
}

func TestDoesWithoutMountSetattr(t *testing.T) {
	b := newBox(t)
	b.NoMountSetattr = true
	b.without(unix.SYS_MOUNT_SETATTR) // nothing may call it after all
	b.mount(defaultMounts()...)
	b.Spec.Root.Readonly = true
	b.Spec.Linux.ReadonlyPaths = []string{"/proc/sys"}
	b.Spec.Linux.MaskedPaths = []string{"/proc/keys"}
	b.run(t, "true")
}
