package cgroups

import (
	"errors"
	"fmt"
	"slices"

	"hull/internal/bpf"

	"golang.org/x/sys/unix"
)

// deviceProgram is the name of hull's device programs, by which it knows its
// own among those of others, such as systemd's.
const deviceProgram = "hull_devices"

// deviceCode makes the program of cgroup v2, of type
// BPF_PROG_TYPE_CGROUP_DEVICE: it returns 1 to allow an access and 0 to refuse.
//
// The rules are asked from the last to the first. R3 holds the access that is
// still undecided: a rule that allows takes its bits away, and all is allowed
// when none are left; a rule that denies any of them ends it. What no rule
// decided is denied.
func deviceCode(rules []deviceRule) []bpf.Insn {
	code := []bpf.Insn{
		// struct bpf_cgroup_dev_ctx: access << 16 | type, major, minor.
		bpf.Load32(bpf.R2, bpf.R1, 0),
		bpf.Mov(bpf.R3, bpf.R2),
		bpf.AndImm(bpf.R2, 0xffff),
		bpf.RshImm(bpf.R3, 16),
		bpf.Load32(bpf.R4, bpf.R1, 4),
		bpf.Load32(bpf.R5, bpf.R1, 8),
	}
	for _, r := range slices.Backward(effective(rules)) {
		code = append(code, r.code()...)
		if r.decides() { // nothing can follow, and the verifier wants nothing to
			return code
		}
	}
	return append(code, result(0)...)
}

func result(r int32) []bpf.Insn { return []bpf.Insn{bpf.MovImm(bpf.R0, r), bpf.Exit()} }

// code is the part of the program for one rule; control leaves at its end when
// the rule leaves something to decide.
func (r deviceRule) code() []bpf.Insn {
	verdict := result(0)
	switch {
	case r.access == accessAll && r.allow:
		verdict = result(1)
	case r.access == accessAll:
	case r.allow:
		verdict = append([]bpf.Insn{bpf.AndImm(bpf.R3, int32(accessAll&^r.access)), bpf.JumpNot(bpf.R3, 0, 2)}, result(1)...)
	default:
		verdict = append([]bpf.Insn{bpf.JumpSet(bpf.R3, int32(r.access), 1), bpf.Jump(2)}, result(0)...)
	}
	// The conditions, each skipping what follows it; so they are put before it.
	unless := func(reg uint8, n int64) {
		skip := bpf.JumpNot(reg, int32(n), int16(len(verdict))) //nolint:gosec // n is at most MaxInt32, verdict short
		verdict = append([]bpf.Insn{skip}, verdict...)
	}
	if r.minor != anyNumber {
		unless(bpf.R5, r.minor)
	}
	if r.major != anyNumber {
		unless(bpf.R4, r.major)
	}
	switch r.kind {
	case 'b':
		unless(bpf.R2, unix.BPF_DEVCG_DEV_BLOCK)
	case 'c':
		unless(bpf.R2, unix.BPF_DEVCG_DEV_CHAR)
	}
	return verdict
}

// setDevicesV2 puts a program for rules on d, in one step in the place of the
// one that hull put there before.
func setDevicesV2(d *dir, rules []deviceRule) error {
	failed := func(target, fact string, err error) error {
		return fmt.Errorf("linux.resources.devices (%s): %s: %w", target, fact, err)
	}
	own, err := ownPrograms(d)
	if err != nil {
		return failed(d.path, "cannot ask for the device programs attached", err)
	}
	defer func() {
		for _, fd := range own {
			_ = unix.Close(fd)
		}
	}()
	prog, err := bpf.LoadDevice(deviceProgram, deviceCode(rules))
	if err != nil {
		return failed("BPF_PROG_LOAD", "the kernel refuses the device program", err)
	}
	defer unix.Close(prog)
	replace := -1
	if len(own) > 0 {
		replace = own[0]
	}
	if err := bpf.AttachDevice(d.fd, prog, replace); err != nil {
		return failed(d.path, "the device program cannot be attached", err)
	}
	for _, fd := range own[min(1, len(own)):] { // left by a hull that was killed
		if err := bpf.DetachDevice(d.fd, fd); err != nil && !errors.Is(err, unix.ENOENT) {
			return failed(d.path, "an older device program cannot be detached", err)
		}
	}
	return nil
}

// ownPrograms opens the device programs on d that hull made.
func ownPrograms(d *dir) ([]int, error) {
	ids, err := bpf.Devices(d.fd)
	var own []int
	for _, id := range ids {
		fd, err := bpf.Open(id)
		if err != nil {
			continue // gone since
		}
		if name, err := bpf.Name(fd); err == nil && name == deviceProgram {
			own = append(own, fd)
		} else {
			_ = unix.Close(fd)
		}
	}
	return own, err
}
