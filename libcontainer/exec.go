package libcontainer

import (
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/plan"
	"hull/internal/trace"
	"hull/nsenter"
	"hull/specconv"
)

// ExecOptions are the arguments of exec.
type ExecOptions struct {
	Process       *specs.Process
	Stdio         [3]*os.File
	ConsoleSocket string
	PidFile       string
	PidfdSocket   string
	PreserveFDs   int
	Cgroup        []string // sub-cgroups to run in, `[controller,…:]path`
	IgnorePaused  bool
	NoNewKeyring  bool
	Detach        bool
}

// Exec runs another process in the container. It is the same plan as create's,
// with joining in the place of making.
func (c *Container) Exec(o ExecOptions) (*Process, error) {
	if err := c.mayExec(o.IgnorePaused); err != nil {
		return nil, err
	}
	ended := trace.Phase("exec.load")
	s, err := c.spec()
	ended()
	if err != nil {
		return nil, err
	}
	if err := specconv.CheckProcess(o.Process, s, specconv.Host{Rootless: c.rec.Rootless}); err != nil {
		return nil, err
	}
	b := &build{c: c, verb: executing, spec: s, process: o.Process, ns: lowerNamespaces(s), opt: &options{
		Stdio: o.Stdio, Preserve: o.PreserveFDs, ConsoleSocket: o.ConsoleSocket, NoNewKeyring: o.NoNewKeyring,
		Rootless: c.rec.Rootless, Detach: o.Detach, stateDir: c.dir(),
	}}
	if b.cg, err = execCgroup(c.cgroup(), o.Cgroup, c.rec.Init.Pid); err != nil {
		return nil, err
	}
	if err := checkConsole(o.Process, o.Detach, o.ConsoleSocket); err != nil {
		return nil, err
	}
	b.direct = b.cg.Direct()
	b.born = b.direct && bornInside(b.cg) && !b.startsOutside()
	p := &Process{}
	b.opt.readyHandler = func(call *plan.Call) error {
		if err := c.joinRdt(call.Pid); err != nil {
			return err
		}
		p.Pid, p.PidFD, p.Console = call.Pid, call.PidFD, b.console
		if o.PidfdSocket != "" {
			if err := sendPidfd(o.PidfdSocket, call.PidFD); err != nil {
				return err
			}
		}
		return nil
	}
	ended = trace.Phase("exec.plan")
	err = b.compile()
	ended()
	if err != nil {
		return nil, err
	}
	return p, b.exec(p, &o)
}

// exec starts the stage and follows it until the program runs.
func (b *build) exec(p *Process, o *ExecOptions) error {
	no := nsenter.Options{Stdio: b.opt.Stdio, Preserve: b.opt.Preserve}
	var err error
	if no.Cgroup, err = b.birthplace(); err != nil {
		return err
	}
	defer no.Cgroup.Close()
	err = through([]move{
		{"exec.stage", func() error { return b.spawnInto(p, no) }, p.kill},
		{"exec.setup", func() error { return p.stage.Serve(b.ready) }, nil},
		{"exec.run", func() error { return p.stage.Serve(nil) }, nil},
		{"exec.publish", func() error { return p.publish(o.PidFile) }, nil},
	})
	if err != nil {
		return err
	}
	p.stage.Close()
	return nil
}

// spawnInto starts the stage of p.
func (b *build) spawnInto(p *Process, o nsenter.Options) error {
	stage, err := nsenter.Start(b.Plan, o)
	if err != nil {
		return err
	}
	stage.Listener = func(fd *os.File) error { return b.c.sendListener(b.spec, p.Pid, fd) }
	p.stage = stage
	return nil
}

func (c *Container) mayExec(ignorePaused bool) error {
	status, err := c.Status()
	switch {
	case err != nil:
		return err
	case status == specs.StateStopped:
		return fmt.Errorf("cannot exec in a stopped container: %w", ErrNotRunning)
	case status == specs.StateCreating:
		return fmt.Errorf("cannot exec in a container that is being created")
	case status == StatusPaused && !ignorePaused:
		return fmt.Errorf("cannot exec in a paused container (use --ignore-paused to override): %w", ErrPaused)
	}
	return nil
}
