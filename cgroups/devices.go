package cgroups

import (
	"fmt"
	"math"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// deviceRule is a checked entry of linux.resources.devices. What a list of
// them means, starting from nothing allowed: for each of read, write and mknod
// the last rule that matches the device decides. config-linux.md, "Allowed
// Device list".
type deviceRule struct {
	field  string
	allow  bool
	kind   byte // 'a', 'b' or 'c'
	major  int64
	minor  int64
	access uint8 // unix.BPF_DEVCG_ACC_*
}

// anyNumber is a major or minor that matches all.
const anyNumber = -1

const (
	accessMknod uint8 = unix.BPF_DEVCG_ACC_MKNOD
	accessRead  uint8 = unix.BPF_DEVCG_ACC_READ
	accessWrite uint8 = unix.BPF_DEVCG_ACC_WRITE
	accessAll         = accessMknod | accessRead | accessWrite
)

// deviceRules checks and lowers rules. What is left out means all, access too.
func deviceRules(rules []specs.LinuxDeviceCgroup) ([]deviceRule, error) {
	list := make([]deviceRule, 0, len(rules))
	for i, r := range rules {
		rule := deviceRule{field: fmt.Sprintf("linux.resources.devices[%d]", i), allow: r.Allow, kind: 'a'}
		switch r.Type {
		case "", "a":
		case "b", "c":
			rule.kind = r.Type[0]
		default:
			return nil, unsupported(rule.field+".type", r.Type, "must be a, b or c")
		}
		var err error
		if rule.major, err = deviceNumber(rule.field+".major", r.Major); err != nil {
			return nil, err
		}
		if rule.minor, err = deviceNumber(rule.field+".minor", r.Minor); err != nil {
			return nil, err
		}
		if rule.access, err = deviceAccess(rule.field+".access", r.Access); err != nil {
			return nil, err
		}
		list = append(list, rule)
	}
	return list, nil
}

// deviceNumber takes -1 for any, as all runtimes do.
func deviceNumber(field string, n *int64) (int64, error) {
	switch {
	case n == nil:
		return anyNumber, nil
	case *n < anyNumber || *n > math.MaxInt32:
		return 0, unsupported(field, *n, "must be a device number, or be left out to match all")
	default:
		return *n, nil
	}
}

func deviceAccess(field, text string) (uint8, error) {
	if text == "" {
		return accessAll, nil
	}
	var access uint8
	for _, letter := range text {
		switch letter {
		case 'r':
			access |= accessRead
		case 'w':
			access |= accessWrite
		case 'm':
			access |= accessMknod
		default:
			return 0, unsupported(field, text, "must be made of r (read), w (write) and m (mknod)")
		}
	}
	return access, nil
}

// decides says that no rule before this one matters.
func (r deviceRule) decides() bool {
	return r.kind == 'a' && r.major == anyNumber && r.minor == anyNumber && r.access == accessAll
}

// effective drops the rules before the last one that decides.
func effective(rules []deviceRule) []deviceRule {
	for i := range slices.Backward(rules) {
		if rules[i].decides() {
			return rules[i:]
		}
	}
	return rules
}

func accessText(access uint8) string {
	var b strings.Builder
	for _, a := range []struct {
		bit    uint8
		letter byte
	}{{accessRead, 'r'}, {accessWrite, 'w'}, {accessMknod, 'm'}} {
		if access&a.bit != 0 {
			b.WriteByte(a.letter)
		}
	}
	return b.String()
}

// DefaultDeviceRules are what the devices that every container has need
// (config-linux.md, "Default Devices"), and the making, but not the opening,
// of any other node. /dev/console is a pseudo-terminal: the host's own console,
// 5:1, is not among them.
func DefaultDeviceRules() []specs.LinuxDeviceCgroup {
	rule := func(kind string, major, minor int64, access string) specs.LinuxDeviceCgroup {
		r := specs.LinuxDeviceCgroup{Allow: true, Type: kind, Access: access}
		if major != anyNumber {
			r.Major = &major
		}
		if minor != anyNumber {
			r.Minor = &minor
		}
		return r
	}
	return []specs.LinuxDeviceCgroup{
		rule("c", anyNumber, anyNumber, "m"),
		rule("b", anyNumber, anyNumber, "m"),
		rule("c", 1, 3, "rwm"),           // null
		rule("c", 1, 5, "rwm"),           // zero
		rule("c", 1, 7, "rwm"),           // full
		rule("c", 1, 8, "rwm"),           // random
		rule("c", 1, 9, "rwm"),           // urandom
		rule("c", 5, 0, "rwm"),           // tty
		rule("c", 5, 2, "rwm"),           // ptmx
		rule("c", 136, anyNumber, "rwm"), // pts/*, console
	}
}
