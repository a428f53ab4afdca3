package tests

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"hull/tests/proc"
)

// withFiles runs a command of hull's with three more files open, at 3, 4 and 5.
func (b *box) withFiles(args ...string) *result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := b.command(ctx, args...)
	for i := range 3 {
		f, err := os.Open(b.file(fmt.Sprintf("extra%d", i), "x"))
		b.check(err)
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	return b.finish(ctx, cmd)
}

func (b *box) wantFDs(r *report, want ...string) {
	b.t.Helper()
	got := slices.Sorted(maps.Keys(r.FDs))
	if !slices.Equal(got, want) {
		b.t.Errorf("the process has the descriptors %v, want %v: %v", got, want, r.FDs)
	}
}

func TestNoDescriptorLeaksIntoTheContainer(t *testing.T) {
	b := newBox(t)
	r := b.withFiles("run", "--bundle", b.bundle, b.id)
	b.wantFDs(parseReport(t, r.stdout), "0", "1", "2")
}

func TestRunPreservesDescriptors(t *testing.T) {
	b := newBox(t)
	r := parseReport(t, b.withFiles("run", "--preserve-fds", "2", "--bundle", b.bundle, b.id).stdout)
	b.wantFDs(r, "0", "1", "2", "3", "4")
	if !strings.HasSuffix(r.FDs["3"], "extra0") || !strings.HasSuffix(r.FDs["4"], "extra1") {
		t.Errorf("the descriptors are %v", r.FDs)
	}
}

func TestExecPreservesDescriptorsAndLeaksNone(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	b.start()
	b.wantFDs(parseReport(t, b.withFiles("exec", b.id, "/bin/probe").stdout), "0", "1", "2")
	r := parseReport(t, b.withFiles("exec", "--preserve-fds", "3", b.id, "/bin/probe").stdout)
	b.wantFDs(r, "0", "1", "2", "3", "4", "5")
	if !strings.HasSuffix(r.FDs["5"], "extra2") {
		t.Errorf("the descriptors are %v", r.FDs)
	}
}

func TestPreserveRefusesDescriptorsThatAreNotOpen(t *testing.T) {
	b := newBox(t)
	r := b.withFiles("run", "--preserve-fds", "9", "--bundle", b.bundle, b.id)
	r.expect(b, 1, "preserve-fds", "6")
	b.wantNothingLeft()
}

func TestListenFDsArePassedOn(t *testing.T) {
	b := newBox(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := b.command(ctx, "run", "--bundle", b.bundle, b.id)
	cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	f, err := os.Open(b.file("extra", "x"))
	b.check(err)
	defer f.Close()
	cmd.ExtraFiles = []*os.File{f}
	r := parseReport(t, b.finish(ctx, cmd).stdout)
	b.wantFDs(r, "0", "1", "2", "3")
	for name, want := range map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "1"} {
		if got, _ := r.env(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestPidfdSocketGetsThePidfd(t *testing.T) {
	for _, verb := range []string{"create", "run", "exec"} {
		t.Run(verb, func(t *testing.T) {
			b := newBox(t, runProbe("pause"))
			l := b.listen("pidfd")
			switch verb {
			case "create":
				b.create("--pidfd-socket", b.path("pidfd"))
			case "run":
				b.must("run", "--detach", "--pidfd-socket", b.path("pidfd"), "--bundle", b.bundle, b.id)
			case "exec":
				b.start()
				b.live("exec", "--detach", "--pidfd-socket", b.path("pidfd"), b.id, "/bin/probe", "pause").wait()
			}
			f, _ := b.receiveOne(l)
			info := b.read(fmt.Sprintf("/proc/self/fdinfo/%d", f.Fd()))
			pid := proc.Field(info, "Pid")
			if verb != "exec" && pid != fmt.Sprint(b.state().Pid) {
				t.Errorf("the descriptor is of process %q, want %d", pid, b.state().Pid)
			}
			if cmdline := b.read("/proc/" + pid + "/cmdline"); verb != "create" && cmdline != "/bin/probe\x00pause\x00" {
				t.Errorf("the descriptor is of %q", cmdline)
			}
		})
	}
}

func TestNullStreamsAreTheContainersOwn(t *testing.T) {
	b := newBox(t, shell(`set -- $(grep mnt_id /proc/self/fdinfo/0); grep -q "^$2 " /proc/self/mountinfo && echo own || echo the host\'s`))
	if got := b.must("run", "--bundle", b.bundle, b.id).stdout; got != "own\n" {
		t.Errorf("the standard input, /dev/null, is on a mount of %q", got)
	}
}
