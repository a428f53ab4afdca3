package cgroups

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// batch are settings for the files of one directory. Those of a controller that
// is not there are empty.
type batch struct {
	d    *dir
	list []setting
}

// batches are settings in the order in which they are made.
type batches []batch

// batched is a cgroup that says what it would write before it writes anything.
type batched interface {
	// batches are returned to be closed even with an error.
	batches(r *specs.LinuxResources) (batches, error)
}

func (b batches) close() {
	var last *dir
	for _, one := range b {
		if one.d != nil && one.d != last {
			one.d.close()
		}
		last = one.d
	}
}

func (b batches) apply() error {
	for _, one := range b {
		if err := apply(one.d, one.list); err != nil {
			return err
		}
	}
	return nil
}

// set is Set.
func set(c batched, r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	all, err := c.batches(r)
	defer all.close()
	if err != nil {
		return err
	}
	return all.apply()
}

// update is Update. What is to follow belongs to it: when that fails, too, the old values come back.
func update(c batched, r *specs.LinuxResources, follows func() error) error {
	if r == nil {
		return nil
	}
	all, err := c.batches(r)
	defer all.close()
	if err != nil {
		return err
	}
	before := all.old()
	if err = all.apply(); err == nil {
		err = follows()
	}
	if err != nil {
		if failed := before.restore(); failed != nil {
			return fmt.Errorf("%w; what was set before it stays in force: %w", err, failed)
		}
	}
	return err
}

// alone is what follows nothing.
func alone() error { return nil }

// old are the settings that bring back what is in force now, the last first. What cannot be
// read is left out: the setting will fail too, or nobody could undo it.
func (b batches) old() batches {
	var before batches
	for _, one := range slices.Backward(b) {
		var list []setting
		for _, s := range slices.Backward(one.list) {
			if value, err := s.now(one.d); err == nil {
				s.value = value
				list = append(list, s)
			}
		}
		before = append(before, batch{one.d, list})
	}
	return before
}

// restore applies old settings, as far as something else is in force now.
func (b batches) restore() error {
	var errs []error
	for _, one := range b {
		list := slices.DeleteFunc(one.list, func(s setting) bool {
			now, err := s.now(one.d)
			return err == nil && now == s.value
		})
		errs = append(errs, apply(one.d, list))
	}
	return errors.Join(errs...)
}

// errManyLines is the error of a file that has more than one value, of which the setting's is unknown.
var errManyLines = errors.New("has more than one line")

// now is what to write to have again what d has in force.
func (s setting) now(d *dir) (string, error) {
	text, err := d.read(s.file)
	if err != nil {
		return "", err
	}
	lines := strings.Split(text, "\n")
	key, _, _ := strings.Cut(s.value, " ")
	switch {
	case s.file == "memory.oom_control": // oom_kill_disable 0, and counters
		_, value, _ := strings.Cut(lines[0], " ")
		return value, nil
	case s.keyed():
		for _, line := range lines {
			if strings.HasPrefix(line, key+" ") {
				return line, nil
			}
		}
		return key + s.unset(), nil
	case strings.HasPrefix(lines[0], "default "): // weights, before those of devices
		return lines[0], nil
	case len(lines) > 1: // of a file that we do not know, such as misc.max: the line with the same key
		for _, line := range lines {
			if key != s.value && strings.HasPrefix(line, key+" ") {
				return line, nil
			}
		}
		return "", errManyLines
	case text == "": // writing nothing would do nothing
		return "\n", nil
	}
	return text, nil
}

// keyed says that the value is about one device or interface, which it begins with.
func (s setting) keyed() bool {
	key, _, ok := strings.Cut(s.value, " ")
	return ok && (strings.Contains(key, ":") || s.file == "net_prio.ifpriomap" || s.file == "rdma.max")
}

// unset is the value of a device that has none in the file.
func (s setting) unset() string {
	switch {
	case s.file == "io.max":
		return " rbps=max wbps=max riops=max wiops=max"
	case s.file == "rdma.max":
		return " hca_handle=max hca_object=max"
	case strings.Contains(s.file, "weight"):
		return " default"
	default:
		return " 0"
	}
}
