package seccomp

import (
	"fmt"
	"math/rand/v2"
	"os"

	"golang.org/x/sys/unix"
)

// readCache is the program kept for a key, or nil.
func readCache(dir string, k key) []byte {
	fd, ok := openCache(dir)
	if !ok {
		return nil
	}
	defer unix.Close(fd)
	return readEntry(fd, k)
}

func readEntry(dir int, k key) []byte {
	// O_NONBLOCK: opening a fifo must not hang; for regular files it says nothing.
	fd, err := unix.Openat(dir, k.fileName(), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || !oursAlone(&st) ||
		st.Size > int64(maxFile) {
		return nil
	}
	b := make([]byte, st.Size)
	n, err := unix.Read(fd, b) // a regular file is read whole
	if err != nil {
		return nil
	}
	return decodeEntry(k, b[:n])
}

// writeCache keeps a program. It tells nothing of failure: a full or read-only
// file system costs the next container some milliseconds, not its life.
func writeCache(dir string, k key, program []byte) {
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return
	}
	fd, ok := openCache(dir)
	if !ok {
		return
	}
	defer unix.Close(fd)
	prune(fd)
	tmp := fmt.Sprintf(".%s.%x", k.fileName(), rand.Uint64())
	if err := create(fd, tmp, encodeEntry(k, program)); err != nil {
		return
	}
	if err := unix.Renameat(fd, tmp, fd, k.fileName()); err != nil {
		_ = unix.Unlinkat(fd, tmp, 0)
	}
}

// create makes a file that is complete or not there. Without fsync: what a
// power cut tears is found torn, and replaced.
func create(dir int, name string, content []byte) error {
	fd, err := unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	n, err := unix.Write(fd, content)
	if err == nil && n < len(content) {
		err = unix.ENOSPC
	}
	if closed := unix.Close(fd); err == nil {
		err = closed
	}
	if err != nil {
		_ = unix.Unlinkat(dir, name, 0)
	}
	return err
}

// openCache opens the directory if nobody else can put anything into it.
func openCache(dir string) (fd int, ok bool) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, false
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || !oursAlone(&st) {
		unix.Close(fd)
		return -1, false
	}
	return fd, true
}

func oursAlone(st *unix.Stat_t) bool {
	return st.Uid == uint32(os.Geteuid()) && st.Mode&0o077 == 0
}

// prune keeps the cache small: it removes the oldest file when there are
// maxFiles, leftovers of killed writers included.
func prune(dir int) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	list := os.NewFile(uintptr(fd), "cache")
	defer list.Close()
	entries, err := list.Readdirnames(-1)
	if err != nil || len(entries) < maxFiles {
		return
	}
	oldest, name := int64(0), ""
	for _, e := range entries {
		var st unix.Stat_t
		if err := unix.Fstatat(dir, e, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			continue
		}
		if t := st.Mtim.Nano(); name == "" || t < oldest {
			oldest, name = t, e
		}
	}
	_ = unix.Unlinkat(dir, name, 0)
}
