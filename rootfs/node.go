package rootfs

import (
	"bytes"
	"errors"
	"fmt"
	"path"

	"golang.org/x/sys/unix"

	"hull/internal/plan"
	"hull/internal/sys"
	"hull/specconv"
)

// node is a device or a fifo.
type node struct {
	field, path string
	mode        uint32 // with the S_IFMT bits
	rdev        uint64
	uid, gid    uint32
}

// defaultNodes are the devices of config-linux.md "Default Devices" that are nodes.
var defaultNodes = []node{
	{path: "/dev/null", mode: unix.S_IFCHR | 0o666, rdev: unix.Mkdev(1, 3)},
	{path: "/dev/zero", mode: unix.S_IFCHR | 0o666, rdev: unix.Mkdev(1, 5)},
	{path: "/dev/full", mode: unix.S_IFCHR | 0o666, rdev: unix.Mkdev(1, 7)},
	{path: "/dev/random", mode: unix.S_IFCHR | 0o666, rdev: unix.Mkdev(1, 8)},
	{path: "/dev/urandom", mode: unix.S_IFCHR | 0o666, rdev: unix.Mkdev(1, 9)},
	{path: "/dev/tty", mode: unix.S_IFCHR | 0o666, rdev: unix.Mkdev(5, 0)},
}

// lowerDevices fills v.nodes with the devices of the configuration.
func (v *View) lowerDevices() error {
	var errs []error
	for i, d := range v.linux().Devices {
		n := node{field: fmt.Sprintf("linux.devices[%d]", i), path: path.Clean("/" + d.Path)}
		var err error
		n.mode, n.rdev, err = specconv.Device(d)
		errs = append(errs, below(n.field, err))
		if d.UID != nil {
			n.uid = *d.UID
		}
		if d.GID != nil {
			n.gid = *d.GID
		}
		v.nodes = append(v.nodes, n)
	}
	return errors.Join(errs...)
}

// replaced says whether the configuration has a device at the path of n.
func (n *node) replaced(list []node) bool {
	for i := range list {
		if list[i].path == n.path {
			return true
		}
	}
	return false
}

// isPtmx says whether n is the host's /dev/ptmx, which engines list with all
// other devices for a privileged container. What the container needs is the
// one of its own devpts: config-linux.md "Default Devices".
func (n *node) isPtmx() bool {
	return n.path == "/dev/ptmx" && n.ifmt() == unix.S_IFCHR && n.rdev == unix.Mkdev(5, 2)
}

func (n *node) ifmt() uint32 { return n.mode & unix.S_IFMT }

func (n *node) String() string {
	switch n.ifmt() {
	case unix.S_IFIFO:
		return "a fifo"
	case unix.S_IFBLK:
		return fmt.Sprintf("the block device %d:%d", unix.Major(n.rdev), unix.Minor(n.rdev))
	}
	return fmt.Sprintf("the character device %d:%d", unix.Major(n.rdev), unix.Minor(n.rdev))
}

// node makes n in the directory dir. A file that is there already must be the
// same (config-linux.md "Devices").
func (v *View) node(dir plan.Reg, n node) {
	p := v.p
	name := path.Base(n.path)
	if n.ifmt() != unix.S_IFIFO && !v.mknod {
		v.bindNode(dir, n)
		return
	}
	there, bind, done := p.NewLabel(), p.NewLabel(), p.NewLabel()
	made := p.NewLabel()
	p.Mknodat(dir, name, n.mode, n.rdev).On(there, unix.EEXIST, unix.EPERM).Then(made)

	p.Mark(there)
	p.Openat(dir, name, unix.O_PATH, 0).To(v.src).On(bind, unix.ENOENT)
	p.Check(v.src, 0, n.ifmt(), n.rdev, n.String()).Because(unix.ESTALE, "a file is there already that is not "+n.String())
	p.Close(v.src)
	p.Goto(done)

	p.Mark(bind)
	if v.mntns && n.ifmt() != unix.S_IFIFO {
		v.bindNode(dir, n)
		p.Goto(done)
	} else {
		v.refuse("cannot be made", unix.EPERM)
	}

	p.Mark(made)
	if n.uid != 0 || n.gid != 0 {
		p.Openat(dir, name, unix.O_PATH, 0).To(v.src)
		p.Check(v.src, 0, n.ifmt(), n.rdev, n.String())
		p.Fchownat(v.src, "", n.uid, n.gid, unix.AT_EMPTY_PATH)
		p.Close(v.src)
	}
	p.Mark(done)
}

// bindNode shows the host's device, where one cannot be made: in a user
// namespace, or because the device cgroup forbids it.
func (v *View) bindNode(dir plan.Reg, n node) {
	p := v.p
	name := path.Base(n.path)
	v.clone(plan.Cwd, n.path, false, v.src).
		Because(unix.ENOENT, "cannot be made here, and the host does not have it either")
	p.Check(v.src, 0, n.ifmt(), n.rdev, n.String()).Because(unix.ESTALE, "the host's file of this name is not "+n.String())
	p.Mknodat(dir, name, unix.S_IFREG|0o666, 0).On(plan.Next, unix.EEXIST)
	p.Openat(dir, name, unix.O_PATH, 0).To(v.dst)
	target := p.NewLabel()
	p.Check(v.dst, 0, unix.S_IFREG, 0, "a file").On(plan.Next, unix.ESTALE).Then(target)
	p.Check(v.dst, 0, n.ifmt(), n.rdev, n.String()).Because(unix.ESTALE, "a file is there already that is not "+n.String())
	p.Mark(target)
	v.move(v.src)
	p.Close(v.src)
}

// hostDevice opens a device of the host and makes sure that it is the right one.
func (v *View) hostDevice(file string, ifmt uint32, rdev uint64, into plan.Reg) {
	n := node{mode: ifmt, rdev: rdev}
	v.p.OpenTree(plan.Cwd, file, 0).To(into)
	v.p.Check(into, 0, ifmt, rdev, n.String()).Because(unix.ESTALE, "the host's "+file+" is not "+n.String())
}

// canMknod says whether devices that hull makes can be used: not those made
// in a user namespace, see user_namespaces(7).
func canMknod() bool {
	ids, err := sys.ReadProc("self/uid_map")
	return err == nil && string(bytes.Join(bytes.Fields(ids), []byte(" "))) == "0 0 4294967295"
}
