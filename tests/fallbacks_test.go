package tests

import (
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// missingLater are the calls that hull does without on Linux 5.6, its floor, or
// below a filter that says EPERM. A kernel that has no CLONE_INTO_CGROUP says
// E2BIG, one whose setns(2) takes no pidfd EINVAL, and a file that is missing is ENOENT.
var missingLater = map[string][]string{
	"Linux 5.6":     {"clone3=E2BIG", "close_range=ENOSYS", "mount_setattr=ENOSYS", "setns-pidfd=EINVAL", "cgroup.kill=ENOENT"},
	"filter ENOSYS": {"clone3=ENOSYS", "close_range=ENOSYS", "mount_setattr=ENOSYS", "waitid-pidfd=ENOSYS"},
	"filter EPERM":  {"clone3=EPERM", "close_range=EPERM", "mount_setattr=EPERM", "waitid-pidfd=EPERM", "cgroup.kill=EPERM"},
}

// everyday are tests of all that a call may be needed for.
var everyday = []func(*testing.T){
	TestContainerPassesThroughItsStatuses,
	TestProcessIsInItsCgroupAfterCreate,
	TestExecSeesWhatTheInitSees,
	TestExecIsInTheContainersCgroupOrBelow,
	TestExecOnATerminal,
	TestKillAllReachesEveryProcess,
	TestPausedContainerCanBeKilled,
	TestDeleteEndsProcessesThatOutliveTheInit,
	TestRunEndsProcessesThatOutliveTheInit,
	TestHooksRunInTheirNamespaces,
	TestSeveralNamespacesOfAUserNamespaceCanBeJoined,
	TestEveryNamespaceCanBeJoinedByPath,
	TestUserNamespaceHasTheMaps,
	TestNoDescriptorLeaksIntoTheContainer,
	TestExecPreservesDescriptorsAndLeaksNone,
	TestSpecialFileSystemsAreMounted,
	TestLastOfContradictingOptionsCounts,
	TestMaskedPathsAreEmpty,
	TestReadonlyPathsKeepTheOptionsOfTheMount,
	TestRootPropagationIsAsAsked,
	TestDefaultDevicesAndLinksAreThere,
	TestSeccompIsInForceForExecToo,
	TestIdmapShiftsTheOwners,
	TestOrdinaryUserWithRangesHasManyIds,
	TestOrdinaryUsersContainerGoesThroughItsLife,
}

func TestDoesWithoutWhatIsYoungerThanItsFloor(t *testing.T) {
	needRoot(t, "it denies calls")
	before := denied
	defer func() { denied = before }()
	for name, calls := range missingLater {
		denied = calls
		t.Run(name, func(t *testing.T) {
			for _, i := range sample(len(everyday)) {
				test := everyday[i]
				_, name, _ := strings.Cut(runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name(), ".")
				t.Run(name, test)
			}
		})
	}
}

// withEach runs f in a box for each call that hull needs and for both ways in which it may be missing.
func withEach(t *testing.T, f func(b *box, call, errno string)) {
	calls := slices.Sorted(maps.Keys(needed))
	for _, i := range sample(len(calls)) {
		call := calls[i]
		for _, errno := range []string{"ENOSYS", "EPERM"} {
			t.Run(call+" "+errno, func(t *testing.T) {
				b := newBox(t, runProbe("pause"))
				b.denied = nil
				f(b, call, errno)
			})
		}
	}
}

func TestNamesTheCallsItCannotDoWithoutAndLeavesNothing(t *testing.T) {
	needRoot(t, "it denies calls")
	withEach(t, func(b *box, call, errno string) {
		switch call {
		case "fspick":
			b.edit(mount("/proc", "", "", "remount", "sync"))
		case "pidfd_open":
			b.edit(userNamespace(100000)) // its stage forks
		case "pidfd_send_signal":
			return // needed to kill only
		}
		b.denied = []string{call + "=" + errno}
		b.refuse(1, []string{"(missing: " + call + "; hull needs Linux 5.6 or later, and no seccomp filter that hides what is in it)"},
			"run", "--detach", "--bundle", b.bundle, b.id)
		b.wantNothingLeft()
	})
}

func TestNamesTheFlagOfCloneThatItCannotDoWithout(t *testing.T) {
	needRoot(t, "it denies calls")
	for _, errno := range []string{"ENOSYS", "EPERM"} {
		b := newBox(t)
		b.denied = []string{"clone-pidfd=" + errno, "clone3=" + errno}
		b.run().expect(b, 1, "(missing: clone with CLONE_PIDFD; hull needs Linux 5.6")
		b.wantNothingLeft()
	}
}

func TestContainerOutlivesCommandsThatLackACall(t *testing.T) {
	needRoot(t, "it denies calls")
	withEach(t, func(b *box, call, errno string) {
		b.start()
		for _, args := range [][]string{
			{"state", b.id},
			{"exec", b.id, "true"},
			{"ps", b.id},
			{"kill", b.id, "0"},
			{"pause", b.id},
			{"resume", b.id},
			{"update", "--pids-limit", "100", b.id},
			{"delete", b.id},
		} {
			b.denied = []string{call + "=" + errno}
			r := b.hull(args...)
			b.denied = nil
			if r.code != 0 && args[0] != "delete" && !strings.Contains(r.stderr, "(missing: "+call+";") {
				t.Errorf("%s", r)
			}
			if args[0] == "delete" && r.code == 0 {
				t.Errorf("deleted while it ran: %s", r)
			}
		}
		b.wantStatus(string(specs.StateRunning))
	})
}

func TestSeccompAgentNeedsPidfdGetfd(t *testing.T) {
	needRoot(t, "it denies calls")
	for _, errno := range []string{"ENOSYS", "EPERM"} {
		b := newBox(t, seccomp(rule(specs.ActNotify, makesDirectories...)), runProbe("mkdir", "/made"))
		b.listen("agent")
		b.edit(profile(func(p *specs.LinuxSeccomp) { p.ListenerPath = b.path("agent") }))
		b.denied = []string{"pidfd_getfd=" + errno}
		b.refuse(1, []string{"fetch the seccomp listener: pidfd_getfd: "}, "run", "--bundle", b.bundle, b.id)
		b.wantNothingLeft()
	}
}
