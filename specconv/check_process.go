package specconv

import (
	"fmt"
	"math"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// process is config.md, Process, except what depends on the container.
func (k checker) process(p *specs.Process) {
	k.terminal(p)
	k.user(&p.User)
	k.args(p.Args)
	k.environ("env", p.Env)
	k.absolute("cwd", p.Cwd)
	k.rlimits(p.Rlimits)
	k.label("apparmorProfile", p.ApparmorProfile)
	k.label("selinuxLabel", p.SelinuxLabel)
	if p.OOMScoreAdj != nil && (*p.OOMScoreAdj < -1000 || *p.OOMScoreAdj > 1000) { // proc(5)
		k.bad("oomScoreAdj", *p.OOMScoreAdj, "must be between -1000 and 1000")
	}
	if p.Scheduler != nil {
		k.in("scheduler").scheduler(p.Scheduler)
	}
	if p.IOPriority != nil {
		k.in("ioPriority").ioPriority(p.IOPriority)
	}
	if a := p.ExecCPUAffinity; a != nil {
		k.cpus("execCPUAffinity.initial", a.Initial)
		k.cpus("execCPUAffinity.final", a.Final)
	}
}

// terminal checks consoleSize, which counts only with a terminal. ioctl_tty(2) has 16 bits for each number.
func (k checker) terminal(p *specs.Process) {
	if !p.Terminal || p.ConsoleSize == nil {
		return
	}
	for _, n := range [...]struct {
		field string
		value uint
	}{{"height", p.ConsoleSize.Height}, {"width", p.ConsoleSize.Width}} {
		if n.value > math.MaxUint16 {
			k.bad("consoleSize."+n.field, n.value, "is more than %d", math.MaxUint16)
		}
	}
}

// user is config.md, POSIX-platform User.
func (k checker) user(u *specs.User) {
	k.id("user.uid", &u.UID)
	k.id("user.gid", &u.GID)
	for i := range u.AdditionalGids {
		if u.AdditionalGids[i] == noID {
			k.bad(fmt.Sprintf("user.additionalGids[%d]", i), noID, noIDFact)
		}
	}
	if u.Umask != nil && *u.Umask > 0o777 {
		k.bad("user.umask", *u.Umask, "is more than 511, which is 0777 in octal")
	}
}

// noID is the id that means "leave it as it is" to setresuid(2) and chown(2): asked for as an id
// it would silently leave root in place.
const (
	noID     = math.MaxUint32
	noIDFact = "is no id: the kernel takes it for \"do not change\""
)

// id reports noID. A missing id is fine.
func (k checker) id(field string, id *uint32) {
	if id != nil && *id == noID {
		k.bad(field, *id, noIDFact)
	}
}

// mappedUser reports ids of the process that its user namespace does not have. Of one
// that is joined only the kernel knows.
func (k checker) mappedUser(p *specs.Process, l *specs.Linux) {
	if ns, ok := namespace(l, specs.UserNamespace); !ok || ns.Path != "" {
		return
	}
	k.mapped("user.uid", p.User.UID, "linux.uidMappings", l.UIDMappings)
	k.mapped("user.gid", p.User.GID, "linux.gidMappings", l.GIDMappings)
	for i, gid := range p.User.AdditionalGids {
		if _, ok := HostID(gid, l.GIDMappings); !ok {
			k.mapped(fmt.Sprintf("user.additionalGids[%d]", i), gid, "linux.gidMappings", l.GIDMappings)
		}
	}
}

// mapped reports an id that the mapping of that name does not have. Without a mapping at all that is
// the problem, and reported elsewhere.
func (k checker) mapped(field string, id uint32, name string, mapping []specs.LinuxIDMapping) {
	if _, ok := HostID(id, mapping); ok || id == noID || len(mapping) == 0 {
		return
	}
	k.bad(field, id, "is not mapped in the user namespace: %s has %s", name, ranges(mapping))
}

// args must name something to execute.
func (k checker) args(args []string) {
	switch {
	case len(args) == 0:
		k.bad("args", nil, "is missing or empty: there is nothing to execute")
	case args[0] == "":
		k.bad("args[0]", "", "is empty: there is nothing to execute")
	}
}

// environ reports what is not NAME=value; see environ(7).
func (k checker) environ(field string, env []string) {
	for i, entry := range env {
		if strings.IndexByte(entry, '=') < 1 {
			k.bad(fmt.Sprintf("%s[%d]", field, i), entry, "must have the form NAME=value")
		}
	}
}

// rlimits is config.md, POSIX process.
func (k checker) rlimits(limits []specs.POSIXRlimit) {
	var first [16]int // by number of the limit: 1 + index of its entry
	for i, l := range limits {
		k := k.at("rlimits", i)
		number, ok := Rlimit(l.Type)
		switch {
		case !ok:
			k.bad("type", l.Type, "is not a resource limit").oneOf(RlimitNames())
		case first[number] > 0:
			k.bad("type", l.Type, "is limited twice: by rlimits[%d] too", first[number]-1)
		default:
			first[number] = i + 1
		}
		if l.Soft > l.Hard {
			k.bad("soft", l.Soft, "is more than the hard limit, %d", l.Hard)
		}
		if l.Soft == 0 {
			k.need("soft")
		}
		if l.Hard == 0 {
			k.need("hard")
		}
	}
}

// label reports what cannot be a label of a security module. It is written to a file of procfs, and the
// label for mounts stands between quotes in their options.
func (k checker) label(field, value string) {
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == '"' }) {
		k.bad(field, value, "must not contain control characters or quotes")
	}
}
