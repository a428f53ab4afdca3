package libcontainer

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/moby/sys/mountinfo"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/cgroups"
	"hull/internal/criu"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/nsenter"
)

// CheckpointOptions are the arguments of checkpoint.
type CheckpointOptions struct {
	CriuOptions
	LeaveRunning    bool
	PreDump         bool   // save memory only, and let it run on
	ParentPath      string // of an earlier pre-dump, relative to ImagePath
	PageServer      string // address:port that memory is sent to
	TCPSkipInFlight bool
	StatusFD        int // with LazyPages, gets a NUL byte when pages can be had; -1 for none
}

// descriptorsFile, beside the images, has what the standard streams of the
// container were: the file and its contents are runc's.
const descriptorsFile = "descriptors.json"

// Checkpoint saves the container's processes to images. Unless it is to run on,
// the container is gone then, as with runc: restore makes it anew.
func (c *Container) Checkpoint(o CheckpointOptions) error {
	if err := c.lock(); err != nil {
		return err
	}
	defer c.unlock()
	if err := c.mayCheckpoint(); err != nil {
		return err
	}
	s, err := c.spec()
	if err != nil {
		return err
	}
	w, err := newCriuWork(s, &o.CriuOptions, "dump.log", true)
	if err != nil {
		return err
	}
	defer w.close()
	if err := c.describe(w, s, &o); err != nil {
		return err
	}
	kind := criu.PreDump
	if !o.PreDump {
		kind = criu.Dump
		if err := c.describeFiles(w, s); err != nil {
			return err
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	dump := func() error {
		no := nsenter.Options{Stdio: [3]*os.File{null, null, null}}
		return w.run(kind, plan.New(), no, func(_ *nsenter.Stage, e criu.Event) error { return o.pagesReady(e) })
	}
	err = through([]move{{"checkpoint.dump", dump, nil}})
	if err != nil || o.LeaveRunning || o.PreDump {
		return err
	}
	return c.destroy()
}

func (c *Container) mayCheckpoint() error {
	status, err := c.Status()
	switch {
	case err != nil:
		return err
	case c.rec.Rootless:
		return errors.New("criu cannot save a rootless container: root is needed")
	case status != specs.StateRunning && status != StatusPaused:
		return fmt.Errorf("container cannot be checkpointed in %s state: %w", status, ErrNotRunning)
	}
	return nil
}

// describe tells criu what to save, and which namespaces are not the container's own.
func (c *Container) describe(w *criuWork, s *specs.Spec, o *CheckpointOptions) error {
	w.o.Pid, w.o.Root = c.rec.Init.Pid, c.rec.Rootfs
	w.o.LeaveRunning, w.o.TCPSkipInFlight = o.LeaveRunning, o.TCPSkipInFlight
	w.o.ParentImg, w.o.TrackMem = o.ParentPath, o.ParentPath != "" || o.PreDump
	if o.ParentPath != "" && filepath.IsAbs(o.ParentPath) {
		return fmt.Errorf("--parent-path %s: must be relative to --image-path", o.ParentPath)
	}
	if o.PageServer != "" {
		host, port, err := net.SplitHostPort(o.PageServer)
		if err == nil {
			w.o.PagePort, err = strconv.Atoi(port)
		}
		if err != nil {
			return fmt.Errorf("--page-server %q: must be ADDRESS:PORT", o.PageServer)
		}
		w.o.PageServer = host
	}
	for name, dir := range c.rec.Cgroup.Paths {
		if name == "freezer" || name == "" {
			w.o.FreezeCgroup = dir
		}
	}
	for _, n := range criuNamespaces(s) {
		if n.key == "" {
			continue
		}
		var st unix.Stat_t
		if err := unix.Stat(n.Path, &st); err != nil {
			return fmt.Errorf("linux.namespaces (%s, %s): %w", n.Type, n.Path, err)
		}
		w.o.External = append(w.o.External, fmt.Sprintf("%s[%d]:%s", criuKind(n.Type), st.Ino, n.key))
	}
	return nil
}

// describeFiles tells criu which mounts and open files are the host's.
func (c *Container) describeFiles(w *criuWork, s *specs.Spec) error {
	table, err := mountTable(c.rec.Init.Pid)
	if err != nil {
		return err
	}
	if err := c.externalMounts(w, s, table); err != nil {
		return err
	}
	return c.writeDescriptors(w, table)
}

// externalMounts names the mounts whose contents are the host's. The container's
// mount table says where each one truly is, whatever links its root has.
func (c *Container) externalMounts(w *criuWork, s *specs.Spec, table map[uint64]*mountinfo.Info) error {
	root, err := sys.OpenProc(strconv.Itoa(c.rec.Init.Pid)+"/root", unix.O_PATH|unix.O_DIRECTORY, true)
	if err != nil {
		return err
	}
	defer root.Close()
	host, err := cgroups.Detect()
	if err != nil {
		return err
	}
	list, err := externals(s, c.rec.Bundle, hierarchies(host, c.cgroup()))
	if err != nil {
		return err
	}
	for _, e := range list {
		m, err := mountAt(root, table, e.destination)
		if err != nil {
			return fmt.Errorf("%s (%s): %w", e.field, e.destination, err)
		}
		if m == nil || e.mask && m.FSType == "tmpfs" {
			continue
		}
		if err := checkKey(e.field, m.Mountpoint); err != nil {
			return err
		}
		w.o.Mounts = append(w.o.Mounts, criu.Pair{Key: m.Mountpoint, Value: m.Mountpoint})
	}
	return nil
}

// mountTable is the mount table of process pid by mount id. proc_pid_mountinfo(5).
func mountTable(pid int) (map[uint64]*mountinfo.Info, error) {
	f, err := sys.OpenProc(strconv.Itoa(pid)+"/mountinfo", unix.O_RDONLY, false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := mountinfo.GetMountsFromReader(f, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	table := map[uint64]*mountinfo.Info{}
	for _, m := range list {
		table[uint64(m.ID)] = m //nolint:gosec // a positive number
	}
	return table, nil
}

// mountAt is the mount at path below root, or nil when there is none.
func mountAt(root *os.File, table map[uint64]*mountinfo.Info, path string) (*mountinfo.Info, error) {
	f, err := sys.OpenInRoot(root, path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil //nolint:nilnil // nothing is there, which is no error
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var st unix.Statx_t
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st); err != nil {
		return nil, os.NewSyscallError("statx", err)
	}
	m := table[st.Mnt_id]
	if m == nil || st.Attributes&unix.STATX_ATTR_MOUNT_ROOT == 0 {
		return nil, nil //nolint:nilnil // the same
	}
	return m, nil
}

// writeDescriptors notes what criu calls the standard streams, for restore to put others in their places.
func (c *Container) writeDescriptors(w *criuWork, table map[uint64]*mountinfo.Info) (err error) {
	names := make([]string, 3)
	for fd := range names {
		path := fmt.Sprintf("%d/fd/%d", c.rec.Init.Pid, fd)
		if names[fd], err = sys.ReadlinkProc(path); errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		f, err := sys.OpenProc(path, unix.O_PATH, true)
		if err != nil {
			return err
		}
		var st unix.Statx_t
		err = unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_TYPE|unix.STATX_INO|unix.STATX_MNT_ID, &st)
		f.Close()
		if err != nil {
			return os.NewSyscallError("statx", err)
		}
		if st.Mode&unix.S_IFMT == unix.S_IFREG && table[st.Mnt_id] == nil { // a file of the host
			names[fd] = fmt.Sprintf("file[%x:%x]", st.Mnt_id, st.Ino)
			w.o.External = append(w.o.External, names[fd])
		}
	}
	b, err := json.Marshal(names)
	if err != nil {
		return err
	}
	if err := sys.WriteAtomic(filepath.Join(w.images, descriptorsFile), b, 0o600); err != nil {
		return fmt.Errorf("--image-path: %w", err)
	}
	return nil
}

// pagesReady tells whoever waits for it that the pages of a lazy migration can be had.
func (o *CheckpointOptions) pagesReady(e criu.Event) error {
	if e.Name != "status-ready" || o.StatusFD < 0 {
		return nil
	}
	_, err := unix.Write(o.StatusFD, []byte{0})
	if err != nil {
		return fmt.Errorf("--status-fd %d: %w", o.StatusFD, err)
	}
	return unix.Close(o.StatusFD)
}
