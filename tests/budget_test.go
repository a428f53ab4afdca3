package tests

import (
	"os"
	"slices"
	"strings"
	"testing"

	"hull/tests/count"
)

// budget is what a command may ask of the kernel: system calls of its own
// process, system calls of its children, each with so many more for each
// cgroup hierarchy; programs run, itself included; and processes made.
//
// The numbers are what the command needed when they were written here, and a
// tenth. A change that needs more is welcome to raise them, and says why.
type budget struct {
	command           string
	own, ownEach      int
	inside, eachInner int
	execs, forks      int
}

var budgets = []budget{
	{"create", 370, 10, 310, 5, 2, 1},
	{"start", 225, 0, 0, 0, 1, 0},
	{"state", 208, 0, 0, 0, 1, 0},
	{"exec", 375, 2, 250, 5, 3, 2},
	{"delete", 270, 15, 0, 0, 1, 0},
	{"run", 490, 24, 375, 5, 3, 1},
}

// counted counts what a command asks of the kernel.
func (b *box) counted(args ...string) *count.Counts {
	b.t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	b.check(err)
	defer null.Close()
	line := append([]string{b.binary, "--root", b.root}, args...)
	c, err := count.Run(count.Command{Args: line, Env: os.Environ(), Files: []*os.File{null, null, null}}, nil)
	if err != nil {
		b.t.Skipf("ptrace does not work here: %v", err)
	}
	if c.Status.ExitStatus() != 0 {
		b.t.Fatalf("%s: exit status %d", strings.Join(line, " "), c.Status.ExitStatus())
	}
	return c
}

// Speed rots unseen; counts do not depend on what else the machine does.
func TestCommandsKeepTheirBudgets(t *testing.T) {
	needRoot(t, "a newuidmap that is traced has no privileges")
	b := newBox(t, runProbe("pause"))
	roots, err := hierarchies()
	b.check(err)
	n := len(roots)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"create", []string{"create", "--bundle", b.bundle, b.id}},
		{"start", []string{"start", b.id}},
		{"state", []string{"state", b.id}},
		{"exec", []string{"exec", b.id, "/bin/true"}},
		{"delete", []string{"delete", "--force", b.id}},
		{"run", []string{"run", "--bundle", b.bundle, b.id}},
	} {
		if c.name == "run" {
			b.edit(args("/bin/true"))
		}
		want := budgets[slices.IndexFunc(budgets, func(x budget) bool { return x.command == c.name })]
		own, inside := want.own+n*want.ownEach, want.inside+n*want.eachInner
		got := b.counted(c.args...)
		t.Logf("%-6s with %d hierarchies: %d system calls of its own (at most %d), %d of its children (%d), %d execs (%d), %d forks (%d)",
			c.name, n, got.Parent, own, got.Others, inside, got.Execs, want.execs, got.Forks, want.forks)
		if got.Parent > own || got.Others > inside || got.Execs > want.execs || got.Forks > want.forks {
			t.Errorf("%s is over its budget", c.name)
		}
	}
}
