package libcontainer

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/criu"
	"hull/internal/fail"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/nsenter"
	"hull/rootfs"
	"hull/specconv"
)

// CriuOptions are what checkpoint and restore have in common. criu(8) has the
// meaning of those that are passed on as they are.
type CriuOptions struct {
	ImagePath string // directory of the images
	WorkPath  string // directory of the log; empty for ImagePath

	TCPEstablished bool
	ExtUnixSk      bool
	ShellJob       bool
	FileLocks      bool
	AutoDedup      bool
	LinkRemap      bool
	LazyPages      bool
	CgroupMode     string   // of --manage-cgroups
	EmptyNS        []string // kinds of namespaces that are not saved
}

// criuSocket is the number of criu's end of the conversation, and those of
// files it inherits follow: above what the stage uses itself.
const criuSocket = 100

// criuWork is one run of criu: what it is asked, and what is open for it here.
type criuWork struct {
	o     criu.Options
	files []*os.File // ours until it is done
	pass  []*os.File // of files, those that criu inherits

	images, work string // the directories of the images and of the log, absolute
}

func (w *criuWork) close() {
	for _, f := range w.files {
		f.Close()
	}
}

// newCriuWork opens the directories; with create they are made.
func newCriuWork(s *specs.Spec, o *CriuOptions, logFile string, create bool) (*criuWork, error) {
	w := &criuWork{o: criu.Options{
		StatusFD: -1, LogFile: logFile, OrphanPtsMaster: true,
		TCPEstablished: o.TCPEstablished, ExtUnixSk: o.ExtUnixSk, ShellJob: o.ShellJob, FileLocks: o.FileLocks,
		AutoDedup: o.AutoDedup, LinkRemap: o.LinkRemap, LazyPages: o.LazyPages, ConfigFile: criuConfig(s),
	}}
	var err error
	if w.images, err = filepath.Abs(o.ImagePath); err == nil {
		w.work, err = filepath.Abs(cmp.Or(o.WorkPath, o.ImagePath))
	}
	if err == nil {
		err = w.directories(create)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	mode, known := criu.CgroupMode(o.CgroupMode)
	if !known {
		w.close()
		return nil, fmt.Errorf("--manage-cgroups-mode %q: must be ignore, none, props, soft, full or strict", o.CgroupMode)
	}
	w.o.CgroupMode = mode
	for _, name := range o.EmptyNS {
		flag, known := specconv.NamespaceFlag(specs.LinuxNamespaceType(name))
		if !known || flag != unix.CLONE_NEWNET {
			w.close()
			return nil, fmt.Errorf("--empty-ns %q: criu can leave out the contents of network namespaces only", name)
		}
		w.o.EmptyNS |= flag
	}
	return w, nil
}

// directories opens the directories of the images and of the log.
func (w *criuWork) directories(create bool) error {
	images, err := w.openDir("--image-path", w.images, create)
	if err != nil {
		return err
	}
	work, err := w.openDir("--work-path", w.work, true)
	if err != nil {
		return err
	}
	w.o.ImagesDir, w.o.WorkDir = int(images.Fd()), int(work.Fd())
	return nil
}

func (w *criuWork) openDir(flag, path string, create bool) (*os.File, error) {
	if create {
		if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
	}
	f, err := os.OpenFile(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	w.files = append(w.files, f)
	return f, nil
}

// inherit lets criu have f under the name that the images call it by.
func (w *criuWork) inherit(key string, f *os.File) {
	w.files, w.pass = append(w.files, f), append(w.pass, f)
	w.o.Inherit = append(w.o.Inherit, criu.Inherit{Key: key, FD: criuSocket + len(w.pass)})
}

// CriuConfigAnnotation names a file with settings that go before the command line's.
const CriuConfigAnnotation = "org.criu.config"

// criuConfig is the file whose settings go before ours: runc's, or the one that
// the annotation names, where an empty one means none.
func criuConfig(s *specs.Spec) string {
	if file, ok := s.Annotations[CriuConfigAnnotation]; ok {
		return file
	}
	return "/etc/criu/runc.conf"
}

// emitCriu appends the operations that turn the stage into criu. It dies with us, as
// the stage does: what it has made by then is in the container's cgroup.
func (w *criuWork) emitCriu(p *plan.Plan, sock *os.File) error {
	path, err := hostProgram("criu")
	if err != nil {
		return fmt.Errorf("criu (package criu): %w", err)
	}
	p.At("criu", path)
	for i, f := range append([]*os.File{sock}, w.pass...) {
		r := p.Inherit(func() (*os.File, error) { return sys.Dup(f) })
		p.Syscall("hand a descriptor over", unix.SYS_DUP3, r, plan.N(criuSocket+i), plan.N(0))
	}
	p.Syscall("change directory", unix.SYS_CHDIR, plan.Str("/"))
	p.LookPath(path, "", 0, 0)
	p.Exec([]string{path, "swrk", strconv.Itoa(criuSocket)}, []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
	return p.Err()
}

// run performs p, becomes criu, and asks it for kind. step acts on what it has come to.
func (w *criuWork) run(kind criu.Kind, p *plan.Plan, o nsenter.Options, step func(*nsenter.Stage, criu.Event) error) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "criu"), os.NewFile(uintptr(pair[1]), "criu's socket")
	defer ours.Close()
	defer theirs.Close()
	if err := w.emitCriu(p, theirs); err != nil {
		return err
	}
	stage, err := nsenter.Start(p, o)
	if err != nil {
		return err
	}
	if err := stage.Serve(nil); err != nil {
		stage.Kill()
		return err
	}
	theirs.Close()
	err = criu.New(ours).Do(kind, &w.o, func(e criu.Event) error { return step(stage, e) })
	if err != nil {
		stage.Kill()
		return w.excerpt(err)
	}
	ours.Close() // now criu ends: after a pre-dump with an error, for it waited for the dump
	stage.Close()
	_, err = stage.Wait()
	return err
}

// excerpt adds what criu's log says of a failure, and where the log is.
func (w *criuWork) excerpt(err error) error {
	if _, criuSaid := errors.AsType[*criu.Failure](err); !criuSaid && !errors.Is(err, criu.ErrEnded) {
		return err
	}
	file := filepath.Join(w.work, w.o.LogFile)
	log, rerr := os.Open(file)
	if rerr != nil {
		return err
	}
	defer log.Close()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if _, text, ok := strings.Cut(lines.Text(), "Error "); ok { // the first is the cause more often than not
			return fmt.Errorf("%w: %s; see %s", err, text, file)
		}
	}
	return fmt.Errorf("%w; see %s", err, file)
}

// joinedNamespace is one that the container has joined. criu knows those of the
// network and of processes as external, under the name key; it joins the others.
type joinedNamespace struct {
	specs.LinuxNamespace
	key string
}

func criuNamespaces(s *specs.Spec) (list []joinedNamespace) {
	if s.Linux == nil {
		return nil
	}
	for _, n := range s.Linux.Namespaces {
		if n.Path == "" {
			continue
		}
		key := ""
		switch n.Type {
		case specs.NetworkNamespace:
			key = "extRootNetNS"
		case specs.PIDNamespace:
			key = "extRootPidNS"
		}
		list = append(list, joinedNamespace{n, key})
	}
	return list
}

// criuKind is criu's name of a kind of namespace: that of /proc/PID/ns.
func criuKind(t specs.LinuxNamespaceType) string {
	switch t {
	case specs.NetworkNamespace:
		return "net"
	case specs.MountNamespace:
		return "mnt"
	}
	return string(t)
}

// checkKey refuses a mount point that criu could take for another: it writes
// external mounts as mnt[KEY]:VALUE (CVE-2026-115520, CVE-2026-119101).
func checkKey(field, path string) error {
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`[]:,\`, r) }) && !fail.Off("names for criu") {
		return fmt.Errorf("%s (%s): criu cannot tell an external mount of this name from others", field, path)
	}
	return nil
}

// external is a mount whose contents are the host's.
type external struct {
	field       string
	destination string // absolute and clean
	source      string // absolute
	mask        bool   // of a file; a masked directory is a mount of its own
}

// bindSource is the absolute path of a bind mount's source: config.md, Mounts.
func bindSource(m *specs.Mount, bundle string) string {
	if filepath.IsAbs(m.Source) {
		return m.Source
	}
	return filepath.Join(bundle, m.Source)
}

// externals are the bind mounts, cgroups and masks of the configuration.
func externals(s *specs.Spec, bundle string, cgroups []rootfs.Hierarchy) ([]external, error) {
	var list []external
	for i := range s.Mounts {
		m, err := specconv.LowerMount(&s.Mounts[i])
		if err != nil {
			return nil, fmt.Errorf("mounts[%d]: %w", i, err)
		}
		field := fmt.Sprintf("mounts[%d]", i)
		if s.Mounts[i].Type == "cgroup" && !m.Remount {
			for _, h := range cgroups {
				list = append(list, external{field: field, destination: filepath.Join(m.Destination, h.Name), source: h.Dir})
			}
			continue
		}
		if !m.Bind || m.Remount {
			continue
		}
		list = append(list, external{field: field, destination: m.Destination, source: bindSource(&s.Mounts[i], bundle)})
	}
	if s.Linux == nil {
		return list, nil
	}
	for i, path := range s.Linux.MaskedPaths {
		list = append(list, external{fmt.Sprintf("linux.maskedPaths[%d]", i), filepath.Clean(path), "/dev/null", true})
	}
	return list, nil
}
