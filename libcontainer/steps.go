package libcontainer

import (
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/cgroups"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/rootfs"
)

// verb is what a step belongs to.
type verb int

const (
	creating  verb = 1 << iota // create and run
	executing                  // exec
	both      = creating | executing
)

// step is one line of the table: a subject, when it takes part, why it stands where
// it stands, and the function that appends its operations to the plan.
type step struct {
	name string
	in   verb
	why  string
	emit func(*build) error
}

// steps is the order of everything that happens inside the container, for
// create, run and exec alike. Nothing else orders anything.
func steps() []step {
	return []step{
		{"umask", both, "first: the modes that later steps give are meant exactly", stepNoUmask},
		{"cgroup", creating, "before the cgroup namespace, whose root is where we are then", stepCgroup},
		{"namespaces", creating, "all that follows acts in them", stepNamespaces},
		{"affinity", executing, "the initial one is for the time outside the container's cgroup", stepInitialAffinity},
		{"join", executing, "all that follows acts in them", stepJoin},
		{"cgroup", executing, "after the fork: joining cannot fail on a limit of one process, forking inside can", stepCgroup},
		{"affinity", executing, "the final one is for the time inside", stepFinalAffinity},
		{"session", both, "before the terminal, which becomes the session's", stepSession},
		{"keyring", both, "before the program could see the caller's keys", stepKeyring},
		{"loopback", creating, "hooks find the network namespace usable", stepLoopback},
		{"network devices", creating, "hooks find them moved", stepNetDevices},
		{"rootfs", creating, "before hooks, which may add to it, and before what writes below it", stepRootfs},
		{"console", both, "with the devices, before masks hide anything it needs", stepConsole},
		{"hooks", creating, "namespaces and mounts are there, the root is still the host's", stepCreateHooks},
		{"cwd", creating, "made if missing; after the mounts, which may be where it is", stepMakeCwd},
		{"streams", both, "while we may still change an owner", stepStreams},
		{"masks", creating, "after the hooks' mounts; clones of host files need the host's root", stepMasks},
		{"pivot", creating, "from here the host's files are out of reach", stepPivot},
		{"null", creating, "in the container's root, before the device rules", stepNull},
		{"hostname", creating, "any time in the new uts namespace", stepHostname},
		{"sysctl", creating, "in the new namespaces, through the host's procfs", stepSysctl},
		{"groups", both, "before looking the program up, which may be for a group only", stepGroups},
		{"lookup", both, "in the final root, as the user: a missing program is an error of create", stepLookup},
		{"scheduling", both, "inherited by exec; before privileges go", stepScheduling},
		{"label", both, "takes effect at the next exec, which is the user's program", stepLabel},
		{"ready", both, "nothing of the host is open in the stage any more", stepReady},
		{"hold", creating, "create ends here, start goes on", stepHold},
		{"cwd", both, "before a filter that could refuse it; the user may be the only one allowed, who is asked again below", stepEarlyCwd},
		{"umask", both, "the user's: after the last file made, before a filter that could refuse it", stepUmask},
		{"rlimits", both, "late: a low limit on descriptors must not hit the stage", stepRlimits},
		{"seccomp", both, "without no_new_privs it needs the privileges that the next step drops", stepSeccompEarly},
		{"credentials", both, "as late as can be", stepCredentials},
		{"cwd", both, "where only the user is allowed", stepCwd},
		{"no_new_privs", both, "before the filter that an unprivileged process installs", stepNoNewPrivs},
		{"seccomp", both, "with no_new_privs last: the profile need not allow what hull does", stepSeccompLate},
		{"exec", both, "the user's program", stepExec},
	}
}

// build is a plan in the making.
type build struct {
	*plan.Plan
	c           *Container
	verb        verb
	spec        *specs.Spec
	process     *specs.Process
	opt         *options
	ns          namespaces
	cg          cgroups.Cgroup
	direct      bool // the stage joins cg by itself
	born        bool // it is born in the unified hierarchy of cg
	hierarchies []rootfs.Hierarchy

	proc   plan.Reg // the host's procfs
	master plan.Reg // the terminal's master, or None
	passwd plan.Reg // the container's /etc/passwd, or None
	cwd    plan.Reg // what became of the first try to change directory

	rootfs  string // absolute path of root.path
	view    *rootfs.View
	console *os.File // the terminal's master in the parent, when it is to serve it
	devices *netDevices

	available uint64 // capabilities that can be given

	ready *plan.Op
	hold  *plan.Op
}

// options are what create, run and exec have in common.
type options struct {
	Stdio         [3]*os.File
	Preserve      int // descriptors from 3 on that the program keeps
	ConsoleSocket string
	NoNewKeyring  bool
	NoPivot       bool
	Rootless      bool
	Detach        bool
	stateDir      string
	listener      func() (*os.File, error) // the start socket; nil to go on at once
	readyHandler  func(*plan.Call) error
}

// compile makes the plan of b from the table.
func (b *build) compile() error {
	b.Plan = plan.New()
	b.master, b.passwd = plan.None, plan.None
	b.At("", "")
	b.proc = b.Inherit(dupProc)
	for _, s := range steps() {
		if s.in&b.verb == 0 {
			continue
		}
		b.Step(s.name)
		if err := s.emit(b); err != nil {
			return err
		}
	}
	return b.Err()
}

func dupProc() (*os.File, error) {
	proc, err := sys.Proc()
	if err != nil {
		return nil, err
	}
	return sys.Dup(proc)
}
