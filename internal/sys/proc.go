package sys

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

const procRootIno = 1 // of every procfs

// Proc is the root of the host's procfs, verified: on a procfs, and its root.
// Whoever mounted something else over /proc cannot redirect what hull writes.
var Proc = sync.OnceValues(func() (*os.File, error) {
	fd, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/proc: %w", err)
	}
	var fs unix.Statfs_t
	var st unix.Stat_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return nil, fmt.Errorf("/proc: %w", err)
	}
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("/proc: %w", err)
	}
	if fs.Type != unix.PROC_SUPER_MAGIC || st.Ino != procRootIno {
		return nil, fmt.Errorf("/proc is not the root of a procfs; hull needs it")
	}
	return os.NewFile(uintptr(fd), "/proc"), nil
})

// OpenProc opens path below the host's procfs; nothing mounted over a part of
// it is entered. Magic links (such as PID/ns/net) are followed only with magic.
func OpenProc(path string, flags int, magic bool) (*os.File, error) {
	proc, err := Proc()
	if err != nil {
		return nil, err
	}
	if magic {
		fd, err := unix.Openat(int(proc.Fd()), path, flags|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: "/proc/" + path, Err: err}
		}
		return os.NewFile(uintptr(fd), "/proc/"+path), nil
	}
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC), //nolint:gosec // flags
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := openat2(int(proc.Fd()), path, &how)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/proc/" + path, Err: err}
	}
	return os.NewFile(uintptr(fd), "/proc/"+path), nil
}

// WriteProc writes data to the file path below the host's procfs in one write(2).
func WriteProc(path string, data []byte) error {
	f, err := OpenProc(path, unix.O_WRONLY, false)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(data)
	return err
}

// ReadProc reads the file path below the host's procfs.
func ReadProc(path string) ([]byte, error) {
	f, err := OpenProc(path, unix.O_RDONLY, false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// ReadlinkProc reads the symbolic or magic link path below the host's procfs.
func ReadlinkProc(path string) (string, error) {
	proc, err := Proc()
	if err != nil {
		return "", err
	}
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(proc.Fd()), path, b)
	if err != nil {
		return "", &os.PathError{Op: "readlink", Path: "/proc/" + path, Err: err}
	}
	return string(b[:n]), nil
}

// ProcStatus is the field of /proc/PID/status, see proc_pid_status(5); empty
// when this kernel has none of that name.
func ProcStatus(pid int, field string) (string, error) {
	b, err := ReadProc(strconv.Itoa(pid) + "/status")
	if err != nil {
		return "", err
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte(field+":")); ok {
			return string(bytes.TrimSpace(rest)), nil
		}
	}
	return "", nil
}

// InnerPid is the number that process pid has in the pid namespace it is in: proc_pid_status(5), NSpid.
func InnerPid(pid int) (int, error) {
	list, err := ProcStatus(pid, "NSpid")
	if err != nil {
		return 0, err
	}
	if list == "" {
		return pid, nil // a kernel without pid namespaces
	}
	return strconv.Atoi(list[strings.LastIndexByte(list, '\t')+1:])
}

// ProcStat is what hull needs of /proc/PID/stat, see proc_pid_stat(5).
type ProcStat struct {
	State     byte   // R, S, D, Z, X, …
	Exiting   bool   // it has begun to end, or is a zombie
	StartTime uint64 // after boot, in clock ticks
}

// Stat reads /proc/PID/stat. ESRCH or ENOENT say that there is no such process.
func Stat(pid int) (ProcStat, error) {
	b, err := ReadProc(strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ProcStat{}, err
	}
	st, err := parseStat(b)
	if err != nil {
		return ProcStat{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return st, nil
}

func parseStat(b []byte) (ProcStat, error) {
	// The name, field 2, may contain anything; the fields after its last ) do not.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 20 {
		return ProcStat{}, fmt.Errorf("%d fields after the name", len(fields))
	}
	flags, err := strconv.ParseUint(string(fields[6]), 10, 32)
	if err != nil {
		return ProcStat{}, fmt.Errorf("flags: %w", err)
	}
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	if err != nil {
		return ProcStat{}, fmt.Errorf("start time: %w", err)
	}
	const exiting = 0x4 // PF_EXITING
	return ProcStat{State: fields[0][0], Exiting: flags&exiting != 0, StartTime: start}, nil
}
