package libcontainer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/criu"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/nsenter"
	"hull/specconv"
)

// RestoreOptions are the arguments of restore: those of run as far as they
// matter, and criu's.
type RestoreOptions struct {
	CreateOptions
	CriuOptions
	TCPClose        bool
	LSMProfile      string // TYPE:NAME in place of the one saved
	LSMMountContext string
}

// Restore makes the container id from a bundle and the images of a checkpoint.
// The bundle says what it may do; the images only what its processes were doing.
func (r *Root) Restore(id string, o RestoreOptions) (*Container, error) {
	cfg, err := specconv.Load(o.Bundle, o.Config)
	if err != nil {
		return nil, err
	}
	o.Run = true
	c, b, err := r.prepare(id, cfg, &o.CreateOptions)
	if err != nil {
		return nil, err
	}
	defer c.unlock()
	w, err := newCriuWork(b.spec, &o.CriuOptions, "restore.log", false)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if err := w.takePlaces(b, &o); err != nil {
		return nil, err
	}
	b.Plan = plan.New()
	if err := b.emitRestore(w); err != nil {
		return nil, err
	}
	err = through([]move{
		{"restore.claim", c.claim, nil},
		{"restore.record", func() error { return c.record(cfg.Raw) }, c.erase},
		{"restore.cgroup", func() error { return c.makeCgroup(b) }, c.undoCgroup},
		{"restore.rdt", func() error { return c.makeRdt(b.spec) }, c.undoRdt},
		{"restore.limits", b.limitDirect, nil},
		{"restore.criu", func() error { return b.restore(w) }, nil},
		{"restore.publish", func() error { return c.publish(&o.CreateOptions) }, nil},
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// restore runs criu in the container's cgroup.
func (b *build) restore(w *criuWork) error {
	o := nsenter.Options{Stdio: b.opt.Stdio}
	var err error
	if o.Cgroup, err = b.birthplace(); err != nil {
		return err
	}
	defer o.Cgroup.Close()
	return w.run(criu.Restore, b.Plan, o, func(s *nsenter.Stage, e criu.Event) error { return b.restored(e, s.Pid) })
}

// takePlaces says what takes the places of what the images call external.
func (w *criuWork) takePlaces(b *build, o *RestoreOptions) error {
	w.o.EvasiveDevices, w.o.RstSibling, w.o.TCPClose = true, true, o.TCPClose
	w.o.Root = b.rootfs
	w.o.LSMProfile, w.o.LSMMountLabel = o.LSMProfile, o.LSMMountContext
	if err := w.takeStreams(o.ImagePath); err != nil {
		return err
	}
	for _, n := range criuNamespaces(b.spec) {
		switch {
		case n.Type == specs.CgroupNamespace:
			return fmt.Errorf("linux.namespaces (%s, %s): criu cannot join a cgroup namespace", n.Type, n.Path)
		case n.key == "":
			w.o.JoinNS = append(w.o.JoinNS, criu.Pair{Key: criuKind(n.Type), Value: n.Path})
		default:
			f, err := os.Open(n.Path)
			if err != nil {
				return fmt.Errorf("linux.namespaces (%s): %w", n.Type, err)
			}
			w.inherit(n.key, f)
		}
	}
	return nil
}

// takeStreams lets our standard streams take the places of the container's that
// were pipes, or files of the host.
func (w *criuWork) takeStreams(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, descriptorsFile))
	if err != nil {
		return fmt.Errorf("--image-path: %w: not the images of a container", err)
	}
	var names []string
	if err := json.Unmarshal(b, &names); err != nil || len(names) > 3 {
		return fmt.Errorf("--image-path: %s: not a list of three names: %w", filepath.Join(dir, descriptorsFile), err)
	}
	for fd, name := range names {
		if strings.HasPrefix(name, "pipe:") || strings.HasPrefix(name, "file[") {
			w.o.Inherit = append(w.o.Inherit, criu.Inherit{Key: name, FD: fd})
		}
	}
	return nil
}

// emitRestore appends what has to be so before criu begins: it is in the container's
// cgroup, as all that it makes will be, and the root is a mount, in a mount namespace
// that ends with criu: nothing of it is left when we are killed.
func (b *build) emitRestore(w *criuWork) error {
	b.At("", "")
	if err := stepNoUmask(b); err != nil {
		return err
	}
	if err := stepCgroup(b); err != nil {
		return err
	}
	b.At("root.path", b.rootfs)
	b.Unshare(unix.CLONE_NEWNS, "make a mount namespace")
	b.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "")
	b.Mount(b.rootfs, b.rootfs, "", unix.MS_BIND|unix.MS_REC, "")
	root := b.Openat(plan.Cwd, b.rootfs, unix.O_PATH|unix.O_DIRECTORY, 0)
	r := b.Reg()
	root.To(r)
	if err := b.emitMountPoints(r); err != nil {
		return err
	}
	if b.process.NoNewPrivileges { // criu before 4.0 does not restore it; its children inherit it
		b.At("process.noNewPrivileges", "")
		b.Prctl("set no_new_privs", unix.PR_SET_NO_NEW_PRIVS, plan.N(1))
	}
	b.At("", "")
	b.Ask("prepare for criu", nil, func(call *plan.Call) error {
		// Again, there: criu mounts below the log's directory, and can do so in its own mount namespace only.
		here := func() error { return w.directories(false) }
		return errors.Join(sys.InMountNamespace(call.Pid, here), w.findCgroups(call.Pid), w.findMountPoints(b))
	})
	b.Close(r)
	return b.Err()
}

// findCgroups fills in where criu is, cgroups(7): what was the container's cgroup
// becomes the one it is restored in.
func (w *criuWork) findCgroups(pid int) error {
	b, err := sys.ReadProc(strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3); len(f) == 3 {
			w.o.CgroupRoots = append(w.o.CgroupRoots, criu.Pair{Key: f[1], Value: f[2]})
		}
	}
	return nil
}

// restored acts on what criu, the process pid, has come to.
func (b *build) restored(e criu.Event, pid int) error {
	c := b.c
	switch e.Name {
	case "setup-namespaces":
		c.rec.Init.Pid = e.Pid
		defer func() { c.rec.Init.Pid = 0 }()
		for _, kind := range []string{"prestart", "createRuntime"} {
			if err := c.runHooks(kind, b.spec, specs.StateCreating); err != nil {
				return err
			}
		}
	case "orphan-pts-master":
		if e.File != nil {
			return b.takeConsole(e.File)
		}
	case "post-restore":
		return b.adopt(e.Pid)
	case "pre-resume":
		return b.verifyRestored(pid)
	}
	return nil
}

// adopt records the container's process, which is our child and has not run yet.
func (b *build) adopt(pid int) (err error) {
	c := b.c
	if err := limitDevices(b.cg, deviceRules(b.spec)); err != nil {
		return err
	}
	if err := c.joinRdt(pid); err != nil {
		return err
	}
	if c.rec.Init, err = current(pid); err != nil {
		return err
	}
	c.Init = &Process{Pid: pid, Console: b.console}
	if c.Init.PidFD, err = sys.PidfdOpen(pid); err != nil {
		return err
	}
	return c.save()
}
