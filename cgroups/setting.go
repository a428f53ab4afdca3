package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/fail"
)

// setting is one write to a file of a cgroup, and the field that asks for it.
type setting struct {
	field string // JSON path
	file  string
	value string
	facts facts
}

// facts tell what an errno means for this file.
type facts map[unix.Errno]string

// controller is one controller's share of linux.resources. Its functions turn
// the fields into settings, in an order fit for a new cgroup; they read what
// is in force from the given directory, which may be absent.
type controller struct {
	name   string // on v1
	v2name string
	v1, v2 func(*specs.LinuxResources, *dir) ([]setting, error)
}

// controllers in the order in which they are set.
var controllers = []controller{
	{"cpuset", "cpuset", cpuset, cpuset},
	{"cpu", "cpu", cpuV1, cpuV2},
	{"memory", "memory", memoryV1, memoryV2},
	{"pids", "pids", pids, pids},
	{"blkio", "io", blkioV1, ioV2},
	{"hugetlb", "hugetlb", hugetlbV1, hugetlbV2},
	{"net_cls", "", netClsV1, netClsV2},
	{"net_prio", "", netPrioV1, netPrioV2},
	{"rdma", "rdma", rdma, rdma},
}

// apply makes the settings in d.
//
// Many limits bound each other (memory by memory+swap, burst by quota, quota
// by the parent's share of the period), so that the right order depends on
// the values in force. The kernel answers EINVAL to the wrong one: such a
// setting is tried again after the others, as long as any of them succeeds.
func apply(d *dir, settings []setting) error {
	for len(settings) > 0 {
		var refused []setting
		for _, s := range settings {
			err := fail.Point("cgroup.setting")
			if err == nil {
				err = s.write(d)
			}
			if errors.Is(err, unix.EINVAL) {
				refused = append(refused, s)
			} else if err != nil {
				return s.explain(d, err)
			}
		}
		if len(refused) == len(settings) {
			return refused[0].explain(d, unix.EINVAL)
		}
		settings = refused
	}
	return nil
}

// write writes the value. To the limit of kernel memory, which the kernel has
// come to ignore without saying so, it pays to look twice.
func (s setting) write(d *dir) error {
	err := d.write(s.file, s.value)
	if err != nil || s.file != kernelLimit {
		return err
	}
	now, err := d.readUint(s.file)
	if asked, perr := parseUint(s.value); err == nil && perr == nil && now > asked { // it rounds down
		return unix.EOPNOTSUPP
	}
	return err
}

// explain makes the error of a setting that d refused.
func (s setting) explain(d *dir, err error) error {
	fact := "cannot be set in " + d.path
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		fact = s.fact(d, errno)
	}
	return fmt.Errorf("%s (%s = %s): %s: %w", s.field, s.file, s.value, fact, err)
}

func (s setting) fact(d *dir, errno unix.Errno) string {
	if fact, ok := s.facts[errno]; ok {
		return fact
	}
	switch errno {
	case unix.ENOENT:
		return s.missing(d)
	case unix.EINVAL, unix.ERANGE, unix.EOVERFLOW:
		return "the kernel refuses this value"
	case unix.EACCES, unix.EPERM:
		return d.path + " may not be changed by this user"
	case unix.ENODEV, unix.ENXIO:
		return "there is no such device"
	case unix.EOPNOTSUPP:
		return "this kernel does not support it"
	default:
		return "cannot be set in " + d.path
	}
}

// missing tells why d has no such file.
func (s setting) missing(d *dir) string {
	name, _, _ := strings.Cut(s.file, ".")
	enabled, err := d.read("cgroup.controllers")
	if err != nil || name == "cgroup" || slices.Contains(strings.Fields(enabled), name) {
		return "this kernel has no such file in " + d.path
	}
	parent := filepath.Dir(d.path)
	fact := fmt.Sprintf("controller %s is not enabled in %s/cgroup.subtree_control", name, parent)
	if p, err := openDir(parent); err == nil {
		defer p.close()
		if p.occupied() {
			fact += ", and cannot be: that cgroup has processes of its own"
		}
	}
	return fact
}

// unmounted is the error of a setting whose v1 hierarchy is not there.
func (s setting) unmounted(name string) error {
	return fmt.Errorf("%s (%s = %s): the cgroup v1 hierarchy %s is not mounted: %w", s.field, s.file, s.value, name, os.ErrNotExist)
}

// unsupported is the error of a field that this version of cgroups cannot do.
func unsupported(field string, value any, fact string) error {
	return fmt.Errorf("%s (%v): %s", field, value, fact)
}

func number[T ~int64 | ~uint64 | ~uint32 | ~uint16](n T) string {
	if n < 0 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatUint(uint64(n), 10)
}

// limit is number for files of cgroup v2, where -1 is spelled max.
func limit(n int64) string {
	if n == -1 {
		return "max"
	}
	return number(n)
}
