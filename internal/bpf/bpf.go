package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attr is the argument of bpf(2), union bpf_attr, filled field by field.
//
// It is much larger than the size that the kernel is told: from Linux 6.17
// until 7.2 BPF_PROG_QUERY writes past the end of what it was given, which in
// a Go program destroys some other object.
type attr struct {
	buf [512]byte
	pin runtime.Pinner
}

// attrSize is what the kernel is told: the part that Linux 5.6 knows, and no
// call of this package needs more.
const attrSize = 120

func (a *attr) u32(off int, v uint32) { binary.NativeEndian.PutUint32(a.buf[off:], v) }

func (a *attr) get32(off int) uint32 { return binary.NativeEndian.Uint32(a.buf[off:]) }

// ptr sets a pointer. What it points to stays where it is until call returns.
func (a *attr) ptr(off int, p unsafe.Pointer) {
	a.pin.Pin(p)
	binary.NativeEndian.PutUint64(a.buf[off:], uint64(uintptr(p)))
}

func (a *attr) call(cmd uintptr) (int, error) {
	defer a.pin.Unpin()
	for {
		n, _, errno := unix.Syscall(unix.SYS_BPF, cmd, uintptr(unsafe.Pointer(&a.buf)), attrSize)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		case unix.EAGAIN: // the verifier saw a signal
			if cmd == unix.BPF_PROG_LOAD {
				continue
			}
			return -1, errno
		default:
			return -1, errno
		}
	}
}

// License of the programs: they use nothing that only GPL programs may.
var license = []byte("Apache-2.0\x00")

// LoadDevice loads a program that decides about device access, of type
// BPF_PROG_TYPE_CGROUP_DEVICE, and returns its descriptor. The name is at most
// 15 letters long.
func LoadDevice(name string, insns []Insn) (int, error) {
	fd, err := load(name, insns, nil)
	if errors.Is(err, unix.EPERM) {
		return loadUnlimited(name, insns)
	}
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EACCES) {
		// Only the verifier's own words explain these.
		log := make([]byte, 64<<10)
		again, err := load(name, insns, log)
		if text, _, _ := strings.Cut(string(log), "\x00"); err != nil && text != "" {
			return -1, fmt.Errorf("the verifier says %q: %w", strings.TrimSpace(text), err)
		}
		return again, err
	}
	return fd, err
}

func load(name string, insns []Insn, log []byte) (int, error) {
	var a attr
	a.u32(0, unix.BPF_PROG_TYPE_CGROUP_DEVICE)
	a.u32(4, uint32(len(insns)))
	a.ptr(8, unsafe.Pointer(&insns[0]))
	a.ptr(16, unsafe.Pointer(&license[0]))
	if log != nil {
		a.u32(24, 1) // level
		a.u32(28, uint32(len(log)))
		a.ptr(32, unsafe.Pointer(&log[0]))
	}
	copy(a.buf[48:63], name)
	a.u32(68, unix.BPF_CGROUP_DEVICE) // expected_attach_type
	return a.call(unix.BPF_PROG_LOAD)
}

// loadUnlimited loads a program without the limit of locked memory. Linux <
// 5.11: programs count against it, and exceeding it is reported as EPERM.
func loadUnlimited(name string, insns []Insn) (int, error) {
	var old unix.Rlimit
	unlimited := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &unlimited, &old); err != nil {
		return -1, unix.EPERM // the limit may not have been the cause
	}
	defer func() { _ = unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &old, nil) }() // children inherit it
	return load(name, insns, nil)
}

// AttachDevice attaches prog to a cgroup, in the place of the program replace
// (atomically) unless that is -1. Programs of others stay: all must agree.
func AttachDevice(cgroup, prog, replace int) error {
	var a attr
	a.u32(0, uint32(cgroup))
	a.u32(4, uint32(prog))
	a.u32(8, unix.BPF_CGROUP_DEVICE)
	a.u32(12, unix.BPF_F_ALLOW_MULTI)
	if replace >= 0 {
		a.u32(12, unix.BPF_F_ALLOW_MULTI|unix.BPF_F_REPLACE)
		a.u32(16, uint32(replace))
	}
	_, err := a.call(unix.BPF_PROG_ATTACH)
	return err
}

// DetachDevice takes a program away from a cgroup.
func DetachDevice(cgroup, prog int) error {
	var a attr
	a.u32(0, uint32(cgroup))
	a.u32(4, uint32(prog))
	a.u32(8, unix.BPF_CGROUP_DEVICE)
	_, err := a.call(unix.BPF_PROG_DETACH)
	return err
}

// Devices are the ids of the device programs attached to a cgroup.
func Devices(cgroup int) ([]uint32, error) {
	for ids := make([]uint32, 64); ; ids = make([]uint32, 2*len(ids)) {
		var a attr
		a.u32(0, uint32(cgroup))
		a.u32(4, unix.BPF_CGROUP_DEVICE)
		a.ptr(16, unsafe.Pointer(&ids[0]))
		a.u32(24, uint32(len(ids)))
		_, err := a.call(unix.BPF_PROG_QUERY)
		if errors.Is(err, unix.ENOSPC) {
			continue
		}
		return ids[:min(int(a.get32(24)), len(ids))], err
	}
}

// Open opens a program by its id.
func Open(id uint32) (int, error) {
	var a attr
	a.u32(0, id)
	return a.call(unix.BPF_PROG_GET_FD_BY_ID)
}

// Name is the name that a program was loaded with.
func Name(prog int) (string, error) {
	var a attr
	var info [512]byte // struct bpf_prog_info; the name is at 64
	const known = 80
	a.u32(0, uint32(prog))
	a.u32(4, known)
	a.ptr(8, unsafe.Pointer(&info[0]))
	if _, err := a.call(unix.BPF_OBJ_GET_INFO_BY_FD); err != nil {
		return "", err
	}
	name, _, _ := strings.Cut(string(info[64:known]), "\x00")
	return name, nil
}
