package plan

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The stage's builtins. Every other kind is the number of a system call.
const (
	kindNop = 1<<16 + iota
	kindAsk
	kindMkdir
	kindMkfile
	kindCheck
	kindWrite
	kindFork
	kindLookPath
	kindHold
	kindSeccomp
	kindDropBounding
	kindCwd
	kindExec
	kindSame
)

// Cwd is the current directory in place of a descriptor, AT_FDCWD.
var Cwd = N(unix.AT_FDCWD)

// Syscall is the system call nr with args, shown as name.
func (p *Plan) Syscall(name string, nr uintptr, args ...Arg) *Op {
	return p.add(uint32(nr), name, args...) //nolint:gosec // a system call number
}

// --- paths ----------------------------------------------------------------

// Openat is openat(2) without following a link in the last component of path.
func (p *Plan) Openat(dir Arg, path string, flags int, mode uint32) *Op {
	return p.Syscall("open "+path, unix.SYS_OPENAT, dir, Str(path), N(flags|unix.O_CLOEXEC|unix.O_NOFOLLOW), N(mode))
}

// OpenInRoot opens path as a process would whose root is the directory root:
// neither links nor `..` lead out, and magic links are refused. openat2(2).
func (p *Plan) OpenInRoot(root Arg, path string, flags int) *Op {
	return p.openat2("open "+path, root, path, flags, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_MAGICLINKS)
}

// OpenPlain opens path below the directory root, refusing links in every component. openat2(2).
func (p *Plan) OpenPlain(root Arg, path string, flags int) *Op {
	return p.openat2("open "+path, root, path, flags, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_SYMLINKS).
		Because(unix.ELOOP, path+" is, or lies behind, a symbolic link")
}

// OpenBeneath opens path, which must stay below dir and on its mount, without magic links: the way
// to a file of a verified procfs. openat2(2).
func (p *Plan) OpenBeneath(dir Arg, path string, flags int) *Op {
	return p.openat2("open "+path, dir, path, flags, resolveOnMount)
}

const resolveOnMount = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS

func (p *Plan) openat2(name string, dir Arg, path string, flags int, resolve uint64) *Op {
	how := unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Resolve: resolve} //nolint:gosec // flags
	return p.Syscall(name, unix.SYS_OPENAT2, dir, Str(path), Bytes(raw(&how)), N(unix.SizeofOpenHow))
}

// MkdirInRoot makes the directory path below root with all its missing
// parents (mode 0755 before umask for those, mode for the last) and opens it O_PATH. Links are
// followed inside root, dangling ones too. An existing directory is opened as it is.
func (p *Plan) MkdirInRoot(root Arg, path string, mode uint32) *Op {
	return p.add(kindMkdir, "make directory "+path, root, Str(path), N(mode))
}

// MkfileInRoot is MkdirInRoot for an empty regular file.
func (p *Plan) MkfileInRoot(root Arg, path string, mode uint32) *Op {
	return p.add(kindMkfile, "make file "+path, root, Str(path), N(mode))
}

// Check fails with ESTALE unless fd is on a file system of type fstype (statfs(2) f_type, 0 for any),
// of the file type ifmt (S_IFMT bits, 0 for any), and, for a device, rdev (0 for any).
func (p *Plan) Check(fd Arg, fstype int64, ifmt uint32, rdev uint64, what string) *Op {
	return p.add(kindCheck, "verify "+what, fd, N(fstype), N(ifmt), N(rdev)).
		Because(unix.ESTALE, "this is not "+what)
}

// Same fails with ESTALE unless both descriptors are the same file.
func (p *Plan) Same(a, b Arg, what string) *Op {
	return p.add(kindSame, "verify "+what, a, b).Because(unix.ESTALE, "this is not "+what)
}

// WriteFile writes data to the existing file path below dir in one write(2), resolved as in OpenBeneath.
func (p *Plan) WriteFile(dir Arg, path string, data []byte) *Op {
	return p.writeFile(dir, path, data, resolveOnMount)
}

func (p *Plan) writeFile(dir Arg, path string, data []byte, resolve uint64) *Op {
	how := unix.OpenHow{Flags: unix.O_WRONLY | unix.O_CLOEXEC | unix.O_NOFOLLOW, Resolve: resolve}
	return p.add(kindWrite, "write "+path, dir, Str(path), Bytes(raw(&how)), Bytes(data), N(len(data)))
}

// Close closes the descriptor in r and sets r to -1.
func (p *Plan) Close(r Reg) { p.Syscall("close", unix.SYS_CLOSE, r).On(Next, AnyErrno).To(r) }

// Mkdirat is mkdirat(2).
func (p *Plan) Mkdirat(dir Arg, path string, mode uint32) *Op {
	return p.Syscall("make directory "+path, unix.SYS_MKDIRAT, dir, Str(path), N(mode))
}

// Mknodat is mknodat(2); dev is as unix.Mkdev makes it.
func (p *Plan) Mknodat(dir Arg, path string, mode uint32, dev uint64) *Op {
	return p.Syscall("make node "+path, unix.SYS_MKNODAT, dir, Str(path), N(mode), N(dev))
}

// Symlinkat is symlinkat(2).
func (p *Plan) Symlinkat(target string, dir Arg, path string) *Op {
	return p.Syscall("make link "+path, unix.SYS_SYMLINKAT, Str(target), dir, Str(path))
}

// Unlinkat is unlinkat(2).
func (p *Plan) Unlinkat(dir Arg, path string, flags int) *Op {
	return p.Syscall("unlink "+path, unix.SYS_UNLINKAT, dir, Str(path), N(flags))
}

// Fchownat is fchownat(2).
func (p *Plan) Fchownat(dir Arg, path string, uid, gid uint32, flags int) *Op {
	return p.Syscall(fmt.Sprintf("change the owner to %d:%d", uid, gid), unix.SYS_FCHOWNAT, dir, Str(path), N(uid), N(gid), N(flags))
}

// Fchmodat is fchmodat(2), which follows a link in the last component.
func (p *Plan) Fchmodat(dir Arg, path string, mode uint32) *Op {
	return p.Syscall(fmt.Sprintf("change the mode to %04o", mode), unix.SYS_FCHMODAT, dir, Str(path), N(mode))
}

// Fchdir is fchdir(2).
func (p *Plan) Fchdir(fd Arg) *Op { return p.Syscall("change directory", unix.SYS_FCHDIR, fd) }

// --- mounts ---------------------------------------------------------------

// Mount is mount(2). Empty strings and nil data are passed as null pointers.
func (p *Plan) Mount(source, target, fstype string, flags uintptr, data string) *Op {
	ptr := func(s string) Arg {
		if s == "" {
			return N(0)
		}
		return Str(s)
	}
	return p.Syscall("mount "+target, unix.SYS_MOUNT, ptr(source), Str(target), ptr(fstype), N(flags), ptr(data))
}

// Fsopen is fsopen(2): a new file system of a type, not yet configured.
func (p *Plan) Fsopen(fstype string) *Op {
	return p.Syscall("open file system "+fstype, unix.SYS_FSOPEN, Str(fstype), N(unix.FSOPEN_CLOEXEC)).
		Because(unix.ENODEV, fmt.Sprintf("file system type %q is not known to this kernel", fstype))
}

// FsconfigString is fsconfig(2) with a key and a value.
func (p *Plan) FsconfigString(fs Arg, key, value string) *Op {
	return p.Syscall(fmt.Sprintf("set %s=%s", key, value), unix.SYS_FSCONFIG, fs, N(unix.FSCONFIG_SET_STRING), Str(key), Str(value), N(0))
}

// FsconfigFlag is fsconfig(2) with a key alone.
func (p *Plan) FsconfigFlag(fs Arg, key string) *Op {
	return p.Syscall("set "+key, unix.SYS_FSCONFIG, fs, N(unix.FSCONFIG_SET_FLAG), Str(key), N(0), N(0))
}

// FsconfigCreate is fsconfig(2): make the superblock.
func (p *Plan) FsconfigCreate(fs Arg, fstype string) *Op {
	return p.Syscall("make file system "+fstype, unix.SYS_FSCONFIG, fs, N(unix.FSCONFIG_CMD_CREATE), N(0), N(0), N(0))
}

// Fsmount is fsmount(2): a detached mount of fs with MOUNT_ATTR_* attrs.
func (p *Plan) Fsmount(fs Arg, attrs uint64) *Op {
	return p.Syscall("mount", unix.SYS_FSMOUNT, fs, N(unix.FSMOUNT_CLOEXEC), N(attrs))
}

// OpenTree is open_tree(2) of path below dir; with OPEN_TREE_CLONE in flags a
// detached copy of the mount, with AT_RECURSIVE of all mounts below it.
func (p *Plan) OpenTree(dir Arg, path string, flags uint) *Op {
	return p.Syscall("open tree "+path, unix.SYS_OPEN_TREE, dir, Str(path), N(flags|unix.OPEN_TREE_CLOEXEC))
}

// MoveMount attaches the detached mount at the file or directory target. move_mount(2).
func (p *Plan) MoveMount(mount, target Arg) *Op {
	return p.Syscall("attach the mount", unix.SYS_MOVE_MOUNT, mount, Str(""), target, Str(""),
		N(unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH))
}

// MountSetattr is mount_setattr(2) on the mount that fd is the root of.
func (p *Plan) MountSetattr(fd Arg, flags uint, attr *unix.MountAttr) *Op {
	return p.Syscall("set mount attributes", unix.SYS_MOUNT_SETATTR, fd, Str(""), N(flags|unix.AT_EMPTY_PATH), Bytes(raw(attr)), N(unsafe.Sizeof(*attr)))
}

// --- processes ------------------------------------------------------------

// Setns is setns(2); nstype is a set of CLONE_NEW*.
func (p *Plan) Setns(fd Arg, nstype uint64, what string) *Op {
	return p.Syscall("join "+what, unix.SYS_SETNS, fd, N(nstype))
}

// Unshare is unshare(2).
func (p *Plan) Unshare(flags uint64, what string) *Op {
	return p.Syscall("make "+what, unix.SYS_UNSHARE, N(flags)).
		Because(unix.ENOSPC, "there are as many namespaces as may be, see max_user_namespaces and its like in /proc/sys/user")
}

// Fork lets a child perform the rest of the plan; it has the same parent, and
// flags are CLONE_NEW* for it. With cgroup a directory of a v2 cgroup, the
// child is born in it. The process that forked ends well.
func (p *Plan) Fork(flags uint64, cgroup Arg) *Op { return p.add(kindFork, "fork", N(flags), cgroup) }

// Prctl is prctl(2).
func (p *Plan) Prctl(name string, option int, args ...Arg) *Op {
	return p.Syscall("prctl "+name, unix.SYS_PRCTL, append([]Arg{N(option)}, append(args, N(0), N(0), N(0), N(0))[:4]...)...)
}

// DropBounding removes every capability outside keep, a bit mask, from the bounding set.
func (p *Plan) DropBounding(keep uint64) *Op {
	return p.add(kindDropBounding, "limit the bounding set", N(keep))
}

// LookPath resolves file as execvp(3) does, by path, a PATH, as the real user uid and group gid, and keeps
// the result for Exec. ENOENT if nothing is found, EACCES if it may not be executed.
func (p *Plan) LookPath(file, path string, uid, gid uint32) *Op {
	return p.add(kindLookPath, "look up "+file, Str(file), Str(path), N(uid), N(gid))
}

// Cwd fails with ENOENT unless the current directory is below the root: getcwd(2).
func (p *Plan) Cwd() *Op { return p.add(kindCwd, "verify the working directory") }

// Hold waits until a process connects to the listening socket and sends one
// byte; that process is then told of a later failure, or of success by EOF.
func (p *Plan) Hold(listener Arg) *Op { return p.add(kindHold, "wait for start", listener) }

// Seccomp installs the classic BPF program prog. seccomp(2). With
// SECCOMP_FILTER_FLAG_NEW_LISTENER in flags, whoever released the stage (see
// Hold, or the parent) is sent the number of the listener's descriptor, to be
// fetched by pidfd_getfd(2), before the plan goes on.
func (p *Plan) Seccomp(prog []byte, flags uint64) *Op {
	return p.add(kindSeccomp, "install the seccomp filter", Bytes(prog), N(len(prog)/8), N(flags))
}

// Exec is execve(2) of the file LookPath found. The string that the last reply carried, if any, becomes one more variable.
func (p *Plan) Exec(argv, envp []string) *Op {
	return p.add(kindExec, "exec", p.strings(argv), N(len(argv)), p.strings(envp), N(len(envp)))
}

// strings are NUL-terminated strings one after the other.
func (p *Plan) strings(list []string) Arg {
	var b []byte
	for _, s := range list {
		p.refuseNUL(s)
		b = append(append(b, s...), 0)
	}
	return Bytes(b)
}

// --- the parent -----------------------------------------------------------

// Call is one question of the stage to the parent.
type Call struct {
	Pid   int           // the process that asks, as the parent sees it
	PidFD *os.File      // the same, by descriptor
	Files []*os.File    // what was sent along, closed after the answer
	Errno syscall.Errno // with which the last operation failed that was allowed to; see Op.On

	Reply      string     // kept by the stage for Exec
	ReplyFiles []*os.File // fill the ask's registers
}

// Ask lets the parent run fn, with the descriptors in send, while the stage
// waits; an error ends the plan. At most four descriptors can be sent.
func (p *Plan) Ask(name string, send []Reg, fn func(*Call) error) *Op {
	return p.AskFiles(name, send, nil, fn)
}

// AskFiles is Ask with an answer of up to 64 descriptors, which fill the consecutive registers into.
func (p *Plan) AskFiles(name string, send, into []Reg, fn func(*Call) error) *Op {
	args := []Arg{N(0), None, None, None, None, None}
	args[0] = N(len(into))
	for i, r := range send {
		args[i+1] = r
	}
	op := p.add(kindAsk, name, args...)
	if len(into) > 0 {
		op.dst = into[0]
	}
	op.handler = fn
	return op
}

// Handler is what the parent runs when the stage asks at this operation.
func (o *Op) Handler() func(*Call) error { return o.handler }

// raw is the memory of v.
func raw[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

// Uint32s are the bytes of a list of 32-bit numbers, such as a list of groups.
func Uint32s(list []uint32) []byte {
	b := make([]byte, 0, 4*len(list))
	for _, v := range list {
		b = binary.NativeEndian.AppendUint32(b, v)
	}
	return b
}
