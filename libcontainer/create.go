package libcontainer

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/cgroups"
	"hull/internal/fail"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/internal/trace"
	"hull/nsenter"
	"hull/specconv"
)

// CreateOptions are the arguments of create and run.
type CreateOptions struct {
	Bundle        string
	Config        string // instead of Bundle/config.json
	Stdio         [3]*os.File
	ConsoleSocket string // receives the terminal's master
	PidFile       string
	PidfdSocket   string // receives a pidfd of the container's process
	PreserveFDs   int
	NoPivot       bool
	NoNewKeyring  bool
	Rootless      bool
	SystemdCgroup bool
	Run           bool // start at once: no state between created and running
	Detach        bool // with Run: nobody stays to serve a terminal

	NotifySocket string // of a service manager that waits for the container to be ready

	Env         []string   // more variables for the process
	ConsoleSize *specs.Box // of the caller's terminal, which the process's takes on
}

// Create makes the container id. With o.Run it is started as well.
func (r *Root) Create(id string, o CreateOptions) (*Container, error) {
	ended := trace.Phase("create.load")
	cfg, err := specconv.Load(o.Bundle, o.Config)
	ended()
	if err != nil {
		return nil, err
	}
	ended = trace.Phase("create.plan")
	c, b, err := r.prepare(id, cfg, &o)
	ended()
	if err != nil {
		return nil, err
	}
	defer c.unlock()
	err = through([]move{
		// On disk first: whatever follows can be found and removed.
		{"create.claim", c.claim, nil},
		{"create.record", func() error { return c.record(cfg.Raw) }, c.erase},
		{"create.notify", func() error { return c.makeNotify(&o) }, nil},
		{"create.cgroup", func() error { return c.makeCgroup(b) }, c.undoCgroup},
		{"create.rdt", func() error { return c.makeRdt(b.spec) }, c.undoRdt},
		{"create.stage", func() error { return c.spawn(b) }, c.killStage},
		// The stage is at work; meanwhile the limits.
		{"create.limits", b.limitDirect, nil},
		{"create.setup", func() error { return c.explain(c.Init.stage.Serve(b.ready)) }, func() { c.undoNetDevices(b) }},
		{"create.start", func() error { return c.finishRun(b, &o) }, nil},
		{"create.publish", func() error { return c.publish(&o) }, nil},
	})
	if err != nil {
		return nil, err
	}
	c.keepNetDevices(b)
	for _, w := range cfg.Warnings(b.available) { // only now: callers read the log of a failure as one message
		slog.Warn(w)
	}
	return c, nil
}

// prepare checks everything and compiles the plan, touching nothing.
func (r *Root) prepare(id string, cfg *specconv.Config, o *CreateOptions) (*Container, *build, error) {
	if err := specconv.ID(id); err != nil {
		return nil, nil, err
	}
	host, err := cgroups.Detect()
	if err != nil {
		return nil, nil, err
	}
	if err := cfg.Check(specconv.Host{Rootless: o.Rootless, Root: os.Geteuid() == 0, CgroupV2: host.V2, Systemd: o.SystemdCgroup}); err != nil && !fail.Off("check") {
		return nil, nil, err
	}
	s := cfg.Spec
	c := &Container{ID: id, root: r}
	if err := c.vacant(); err != nil { // claim decides; this is for the message
		return nil, nil, err
	}
	rootfs, err := rootfsOf(cfg)
	if err != nil {
		return nil, nil, err
	}
	process := s.Process
	if process == nil && o.Run {
		return nil, nil, errNoProcess
	} else if process == nil {
		process = noProcess()
	}
	if err := checkConsole(process, o.Detach || !o.Run, o.ConsoleSocket); err != nil {
		return nil, nil, err
	}
	o.adapt(process)
	if o.NotifySocket != "" {
		c.offerNotify(s, process)
	}
	b := &build{c: c, verb: creating, spec: s, process: process, ns: lowerNamespaces(s), rootfs: rootfs, opt: &options{
		Stdio: o.Stdio, Preserve: o.PreserveFDs, ConsoleSocket: o.ConsoleSocket, NoNewKeyring: o.NoNewKeyring,
		NoPivot: o.NoPivot, Rootless: o.Rootless, Detach: o.Detach || !o.Run, stateDir: c.dir(),
	}}
	if b.cg, err = newCgroup(host, id, s, o); err != nil {
		return nil, nil, err
	}
	// Before the record: by it, delete kills what is in the cgroup.
	if err := b.cg.Check(); err != nil {
		if taken := c.vacant(); taken != nil { // by another, just now: what is in the cgroup is his
			return nil, nil, taken
		}
		return nil, nil, err
	}
	b.hierarchies, b.direct = hierarchies(host, b.cg), !o.SystemdCgroup
	b.born = b.direct && bornInside(b.cg)
	if !o.Run {
		b.opt.listener = func() (*os.File, error) { return sys.ListenUnix(c.path(socketFile)) }
	}
	b.opt.readyHandler = func(call *plan.Call) error { return c.onReady(b, call, o) }
	c.rec = &record{
		ID: id, Bundle: cfg.Bundle, Rootfs: rootfs, Created: time.Now().UTC(), UID: os.Getuid(),
		Rootless: o.Rootless, Notes: s.Annotations,
		PlainStop: len(hooksOf(s, "poststop")) == 0,
	}
	c.rec.Cgroup = cgroupRecord{Paths: b.cg.Paths(), Systemd: o.SystemdCgroup}
	if err := c.nameRdt(s); err != nil {
		return nil, nil, err
	}
	return c, b, b.compile()
}

// rootfsOf is the absolute path of root.path, which has to be a directory.
func rootfsOf(cfg *specconv.Config) (string, error) {
	path := cfg.Spec.Root.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(cfg.Bundle, path)
	}
	dir, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("root.path (%s): %w", path, sys.Bare(err))
	}
	st, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("root.path (%s): %w", path, sys.Bare(err))
	}
	if !st.IsDir() {
		return "", fmt.Errorf("root.path (%s): %w", path, unix.ENOTDIR)
	}
	return dir, nil
}

// makeCgroup makes the cgroup. When that fails, nothing was made, and what is
// in the cgroup now is somebody else's: it must not be killed.
func (c *Container) makeCgroup(b *build) error {
	err := b.cg.Create()
	if err != nil {
		c.rec.Cgroup.Paths = nil
	}
	return err
}

func (c *Container) undoCgroup() {
	c.keep(c.deleteCgroup())
}

func (c *Container) killStage() {
	if c.Init != nil {
		c.Init.stage.Kill()
	}
}

// spawn starts the stage.
func (c *Container) spawn(b *build) error {
	o := nsenter.Options{CloneFlags: b.ns.clone, Stdio: b.opt.Stdio, Preserve: b.opt.Preserve}
	var err error
	if o.Cgroup, err = b.birthplace(); err != nil {
		return err
	}
	defer o.Cgroup.Close()
	stage, err := nsenter.Start(b.Plan, o)
	if err != nil {
		return err
	}
	stage.Listener = func(fd *os.File) error { return c.sendListener(b.spec, c.rec.Init.Pid, fd) }
	c.Init = &Process{stage: stage}
	return nil
}

// onReady is called when only the user's program is missing.
func (c *Container) onReady(b *build, call *plan.Call, o *CreateOptions) error {
	if err := limitDevices(b.cg, deviceRules(b.spec)); err != nil {
		return err
	}
	init, err := current(call.Pid)
	if err != nil {
		return err
	}
	if err := c.joinRdt(call.Pid); err != nil {
		return err
	}
	c.Init.Pid, c.Init.PidFD, c.Init.Console = call.Pid, call.PidFD, b.console
	c.rec.Init = init
	if b.hold != nil {
		if err := c.keepRelease(b); err != nil {
			return err
		}
	}
	if err := c.save(); err != nil {
		return err
	}
	if o.PidfdSocket != "" {
		if err := sendPidfd(o.PidfdSocket, call.PidFD); err != nil {
			return err
		}
	}
	if !o.Run {
		return nil
	}
	return c.runHooks("startContainer", b.spec, specs.StateCreated)
}

// finishRun waits for the user's program to run and runs the hooks of start.
func (c *Container) finishRun(b *build, o *CreateOptions) error {
	if !o.Run {
		c.Init.stage.Close()
		return nil
	}
	if err := c.Init.stage.Serve(nil); err != nil {
		return c.explain(err)
	}
	return c.runHooks("poststart", b.spec, specs.StateRunning)
}
