package main

import (
	"fmt"
	"os"

	"hull/tests/count"
)

// counts counts what one run of /bin/true asks of the kernel.
func counts(h *house) error {
	t := h.table("One `run`, counted", "")
	for _, c := range h.runtimes {
		if err := h.count(t, c.name, c.line("run", "--bundle", h.bundle(plain), c.name+"-count"), c.setup); err != nil {
			return err
		}
	}
	return h.count(t, "floor", append([]string{h.floor, h.rootfs()}, h.cgroups...), nil)
}

func (h *house) count(t *table, name string, line []string, setup func() error) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	cmd := count.Command{Args: line, Env: os.Environ(), Files: []*os.File{null, null, null}}
	n, err := count.Run(cmd, setup)
	if err != nil {
		return err
	}
	if n.Status.ExitStatus() != 0 {
		return fmt.Errorf("%s: exit status %d", name, n.Status.ExitStatus())
	}
	all := 0
	for _, k := range n.Calls {
		all += k
	}
	t.row("system calls").put(name, float64(all))
	t.row("… without those of the Go scheduler").put(name, float64(n.Parent+n.Others))
	t.row("… of the runtime's own process").put(name, float64(n.Parent))
	t.row("forks").put(name, float64(n.Forks))
	t.row("threads").put(name, float64(n.Threads))
	t.row("execs").put(name, float64(n.Execs))
	t.row("page faults, of its children too").put(name, float64(n.Faults))
	return nil
}
