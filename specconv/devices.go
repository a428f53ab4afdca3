package specconv

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var deviceTypes = [...]word{
	{"c", unix.S_IFCHR},
	{"u", unix.S_IFCHR}, // mknod(1): an unbuffered character device
	{"b", unix.S_IFBLK},
	{"p", unix.S_IFIFO},
}

// The kernel's MINORBITS.
const (
	maxMajor = 1<<12 - 1
	maxMinor = 1<<20 - 1
)

// Device is what mknod(2) is to be called with. Without a fileMode everybody may read and write, as with
// the default devices.
func Device(d specs.LinuxDevice) (mode uint32, dev uint64, err error) {
	k := newChecker()
	mode, dev = k.device(&d)
	return mode, dev, k.err()
}

// devices is config-linux.md, Devices.
func (k checker) devices(devices []specs.LinuxDevice) {
	for i := range devices {
		d := &devices[i]
		k.at("devices", i).device(d)
		for j := range devices[:i] {
			if devices[j].Path == d.Path {
				k.bad(fmt.Sprintf("devices[%d].path", i), d.Path, "is given twice: by linux.devices[%d] too", j)
				break
			}
		}
	}
}

func (k checker) device(d *specs.LinuxDevice) (mode uint32, dev uint64) {
	k.absolute("path", d.Path)
	format, ok := number(deviceTypes[:], d.Type)
	if !ok {
		k.bad("type", d.Type, "is not a type of device").oneOf(names(deviceTypes[:]))
	}
	if d.Type != "p" {
		k.deviceNumber("major", d.Major, maxMajor)
		k.deviceNumber("minor", d.Minor, maxMinor)
		dev = unix.Mkdev(uint32(d.Major), uint32(d.Minor)) //nolint:gosec // checked above
	}
	permissions := uint32(0o666)
	if d.FileMode != nil {
		permissions = uint32(*d.FileMode) // a decimal st_mode, whatever the Go type says; engines leave S_IFMT in
		if permissions&^unix.S_IFMT > 0o7777 {
			k.bad("fileMode", permissions, "is more than 4095, which is 07777 in octal")
		}
	}
	k.id("uid", d.UID)
	k.id("gid", d.GID)
	return uint32(format) | permissions&0o7777, dev //nolint:gosec // S_IFMT
}

// deviceNumber checks a REQUIRED device number.
func (k checker) deviceNumber(field string, n, most int64) {
	if n == 0 {
		k.need(field)
	}
	if n < 0 || n > most {
		k.bad(field, n, "must be between 0 and %d", most)
	}
}

// deviceRules is config-linux.md, Allowed Device list. Engines write -1, too, for all numbers.
func (k checker) deviceRules(rules []specs.LinuxDeviceCgroup) {
	for i := range rules {
		r := &rules[i]
		switch r.Type {
		case "", "a", "b", "c":
		default:
			k.at("devices", i).bad("type", r.Type, "is not a type of device").oneOf([]string{"a", "b", "c"})
		}
		for _, letter := range r.Access {
			if letter != 'r' && letter != 'w' && letter != 'm' {
				k.at("devices", i).bad("access", r.Access, "must be made of the letters r, w and m")
				break
			}
		}
		k.ruleNumber("major", i, r.Major, maxMajor)
		k.ruleNumber("minor", i, r.Minor, maxMinor)
	}
}

func (k checker) ruleNumber(field string, i int, n *int64, most int64) {
	if n != nil && (*n < -1 || *n > most) {
		k.at("devices", i).bad(field, *n, "must be between 0 and %d, or -1 for all", most)
	}
}
