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
