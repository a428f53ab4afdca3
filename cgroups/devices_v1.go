package cgroups

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// exception is an entry of cgroup v1's list of devices.
type exception struct {
	kind   byte
	major  int64
	minor  int64
	access uint8
}

// deviceSet is what cgroup v1 knows: everything is allowed, or nothing is, but
// for some exceptions. The order in which rules came is lost.
type deviceSet struct {
	allowAll   bool
	exceptions []exception
}

// covers says that every device that matches f matches e.
func (e exception) covers(f exception) bool {
	return e.kind == f.kind && (e.major == anyNumber || e.major == f.major) && (e.minor == anyNumber || e.minor == f.minor)
}

// meet is what matches both, with the access of both; ok says that anything does.
func (e exception) meet(f exception) (both exception, ok bool) {
	both = exception{e.kind, max(e.major, f.major), max(e.minor, f.minor), e.access | f.access}
	return both, e.covers(both) && f.covers(both)
}

func (e exception) String() string {
	part := func(n int64) string {
		if n == anyNumber {
			return "*"
		}
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprintf("%c %s:%s %s", e.kind, part(e.major), part(e.minor), accessText(e.access))
}

// deviceSetOf turns rules into what v1 can hold.
//
// It cannot hold everything: a rule that takes one device from an earlier rule
// about many has no effect when written to devices.deny, without any
// error from the kernel. Such rules are refused here.
func deviceSetOf(rules []deviceRule) (deviceSet, error) {
	var set deviceSet
	for _, r := range effective(rules) {
		if r.decides() {
			set = deviceSet{allowAll: r.allow}
			continue
		}
		for _, kind := range []byte{'b', 'c'} {
			if r.kind != 'a' && r.kind != kind {
				continue
			}
			e := exception{kind, r.major, r.minor, r.access}
			if r.allow != set.allowAll {
				set.add(e)
			} else if hole, ok := set.remove(e); !ok {
				return set, unsupported(r.field, e, fmt.Sprintf("cgroup v1 cannot except this from the earlier rule %v", hole))
			}
		}
	}
	set.close()
	return set, nil
}

func (s *deviceSet) add(e exception) {
	for i, old := range s.exceptions {
		if old.covers(e) && e.covers(old) {
			s.exceptions[i].access |= e.access
			return
		}
	}
	s.exceptions = append(s.exceptions, e)
}

// remove takes access away from the exceptions that e covers. It fails for one
// that e only meets, and returns that.
func (s *deviceSet) remove(e exception) (exception, bool) {
	for i, old := range s.exceptions {
		if e.covers(old) {
			s.exceptions[i].access &^= e.access
		} else if _, ok := e.meet(old); ok && old.access&e.access != 0 {
			return old, false
		}
	}
	s.exceptions = slices.DeleteFunc(s.exceptions, func(e exception) bool { return e.access == 0 })
	return exception{}, true
}

// close adds an exception for the devices that two others match, so that
// reading and writing, allowed by a rule each, are allowed in one open(2): the
// kernel looks for one exception that grants all of an access. (Where
// everything is allowed, each exception forbids by itself.)
func (s *deviceSet) close() {
	for i := 0; i < len(s.exceptions) && !s.allowAll; i++ {
		for _, other := range s.exceptions[:i] {
			e := s.exceptions[i]
			both, ok := e.meet(other)
			if ok && both.access != e.access && both.access != other.access {
				s.add(both)
			}
		}
	}
}

// parseDevices reads devices.list. Where all is allowed, the kernel does not
// show the exceptions.
func parseDevices(text string) (deviceSet, error) {
	var set deviceSet
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "a *:* rwm" {
			return deviceSet{allowAll: true}, nil
		}
		bad := fmt.Errorf("devices.list: cannot understand %q", line)
		fields := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == ':' })
		if len(fields) != 4 || fields[0] != "b" && fields[0] != "c" {
			return set, bad
		}
		e := exception{kind: fields[0][0]}
		var err error
		if e.access, err = deviceAccess("devices.list", fields[3]); err != nil {
			return set, err
		}
		for i, number := range []*int64{&e.major, &e.minor} {
			if fields[1+i] == "*" {
				*number = anyNumber
			} else if n, err := strconv.ParseUint(fields[1+i], 10, 32); err == nil {
				*number = int64(n)
			} else {
				return set, bad
			}
		}
		set.exceptions = append(set.exceptions, e)
	}
	return set, nil
}

// deviceWrite is a line for devices.allow or devices.deny.
type deviceWrite struct{ file, value string }

// transition lists the writes that lead from one set to the other. From
// "nothing but" to "nothing but" only the differences are written, what is new
// first, so that running processes never miss a device that both sets allow.
func transition(from, to deviceSet) []deviceWrite {
	grant, revoke := "devices.allow", "devices.deny"
	if to.allowAll {
		grant, revoke = revoke, grant
	}
	var writes []deviceWrite
	if from.allowAll || to.allowAll {
		writes = append(writes, deviceWrite{revoke, "a"})
		from = deviceSet{allowAll: to.allowAll}
	}
	for _, e := range minus(to.exceptions, from.exceptions) {
		writes = append(writes, deviceWrite{grant, e.String()})
	}
	for _, e := range minus(from.exceptions, to.exceptions) {
		writes = append(writes, deviceWrite{revoke, e.String()})
	}
	return writes
}

// minus are the access bits of a that b has not, for each exception.
func minus(a, b []exception) []exception {
	var list []exception
	for _, e := range a {
		for _, f := range b {
			if e.covers(f) && f.covers(e) {
				e.access &^= f.access
			}
		}
		if e.access != 0 {
			list = append(list, e)
		}
	}
	return list
}

// setDevicesV1 brings d, in the devices hierarchy, to rules.
func setDevicesV1(d *dir, rules []deviceRule) error {
	to, err := deviceSetOf(rules)
	if err != nil {
		return err
	}
	text, err := d.read("devices.list")
	if err != nil {
		return fmt.Errorf("linux.resources.devices (devices.list): cannot be read in %s: %w", d.path, err)
	}
	from, err := parseDevices(text)
	if err != nil {
		return err
	}
	fds := map[string]int{}
	defer func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}()
	for _, w := range transition(from, to) {
		s := setting{"linux.resources.devices", w.file, w.value, facts{
			unix.EPERM:  "the parent cgroup does not allow this, or this user may not",
			unix.EINVAL: "cannot be changed while the cgroup has children",
		}}
		fd, ok := fds[w.file]
		if !ok {
			if fd, err = d.open(w.file, unix.O_WRONLY); err != nil {
				return s.explain(d, err)
			}
			fds[w.file] = fd
		}
		if err := writeTo(fd, w.value); err != nil {
			return s.explain(d, err)
		}
	}
	return nil
}
