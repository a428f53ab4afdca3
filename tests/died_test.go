package tests

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A process that ends by the call that would have run the program must not be taken for the program.
func TestDeathBeforeTheProgramRunsIsReported(t *testing.T) {
	const died = "the container's process died while it was being set up"
	fatal := seccomp(rule(specs.ActKillProcess, "execve", "execveat"))
	b := newBox(t, fatal)
	b.run().expect(b, 1, died, "SIGSYS")
	b.wantNothingLeft()

	// start asks the process itself, which has to be there: we are the one that it is left to.
	b.check(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	t.Cleanup(func() { b.check(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)) })
	b.create()
	pid := b.state().Pid
	b.refuse(1, []string{died}, "start", b.id)
	b.wantStatus("stopped")
	_, err := unix.Wait4(pid, nil, 0, nil)
	b.check(err)
}

func TestDeathBeforeTheProgramOfExecRunsIsReported(t *testing.T) {
	// Without no_new_privs the filter is there before the user is.
	b := running(t, process(func(p *specs.Process) { p.NoNewPrivileges = false }), seccomp(specs.LinuxSyscall{
		Names: []string{"setresuid"}, Action: specs.ActKillProcess,
		Args: []specs.LinuxSeccompArg{{Index: 0, Value: 7, Op: specs.OpEqualTo}},
	}))
	b.refuse(255, []string{"died while it was being set up"}, "exec", "--user", "7", b.id, "/bin/probe", "say", "ran")
	b.wantStatus("running")
}

func TestShortProgramIsNotTakenForDead(t *testing.T) {
	b := newBox(t, runProbe("say", "ran"))
	for range 20 {
		b.wantOutput("ran")
	}
}
