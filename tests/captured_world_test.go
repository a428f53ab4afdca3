package tests

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/tests/image"
)

// world is a set of namespaces with a root file system of its own, in which all
// that a configuration of somebody else's machine names exists. The
// configuration itself stays as it was.
type world struct {
	b      *box
	root   string // of its file system, as the test sees it
	pid    int    // of the container's process, outside
	script strings.Builder
}

// newWorld makes the paths of s real and lets hull run there.
func newWorld(b *box, s *specs.Spec, rootless bool) *world {
	b.t.Helper()
	w := &world{b: b}
	w.sh("set -e; bb=%s; new=%s; mount --make-rprivate /; mount -t tmpfs -o mode=755 tmpfs $new", b.path("busybox"), b.path("new"))
	for _, dir := range []string{"proc", "dev", "sys", "bin", "run", "old", "state", b.dir, filepath.Dir(b.binary)} {
		w.sh("$bb mkdir -p $new/%s", strings.TrimPrefix(dir, "/"))
	}
	w.sh("mount -t proc proc $new/proc; mount --rbind /dev $new/dev; mount --rbind /sys $new/sys; mount --bind %[1]s $new%[1]s", b.dir)
	w.sh("$bb cp $bb $new/bin/busybox; $bb ln -s busybox $new/bin/sh; $bb cp %s $new/bin/probe", filepath.Join(b.rootfs, "bin/probe"))
	w.rootfs(s)
	w.sources(s)
	w.namespaces(s)
	w.hooks(s)
	// The shell is the init of this pid namespace: whenever a sleep has ended it takes all exit statuses.
	w.sh("cd $new; pivot_root . old; exec /bin/busybox sh -c 'busybox umount -l /old; echo ready; while :; do busybox sleep 0.1; done'")
	b.check(os.MkdirAll(b.path("new"), 0o755))
	b.check(image.Copy(filepath.Join(b.rootfs, "bin/busybox"), b.path("busybox"), 0o755))
	w.unlink("busybox", "probe")
	w.start(rootless)
	return w
}

// unlink gives the box programs of its own: a configuration may give them to another
// user, and other boxes have links to them.
func (w *world) unlink(programs ...string) {
	for _, name := range programs {
		path := filepath.Join(w.b.rootfs, "bin", name)
		w.b.check(image.Copy(path, path+".own", 0o755))
		w.b.check(os.Rename(path+".own", path))
	}
}

func (w *world) sh(format string, args ...any) { fmt.Fprintf(&w.script, format+"\n", args...) }

// rootfs puts the root file system where the configuration wants it, owned by the container's root.
func (w *world) rootfs(s *specs.Spec) {
	path := s.Root.Path
	if !filepath.IsAbs(path) {
		return // it is in the bundle
	}
	w.sh("$bb mkdir -p $new%[1]s; $bb cp -a %[2]s/. $new%[1]s/; $bb ln -s busybox $new%[1]s/bin/tty", path, w.b.rootfs)
	if s.Process.Args[0] == "/catatonit" { // the program of podman's image for pods
		w.sh("printf '#!/bin/sh\\nexec /bin/probe pause\\n' > $new%[1]s/catatonit; $bb chmod 755 $new%[1]s/catatonit", path)
	}
	if s.Linux != nil && len(s.Linux.UIDMappings) > 0 {
		w.sh("$bb chown -R %d:%d $new%s", s.Linux.UIDMappings[0].HostID, s.Linux.GIDMappings[0].HostID, path)
	}
}

// sources makes the files and directories that are mounted.
func (w *world) sources(s *specs.Spec) {
	for _, m := range s.Mounts {
		src := m.Source
		switch {
		case !filepath.IsAbs(src) || within(src, "/dev") || within(src, "/sys") || within(src, "/proc"):
		case slices.Contains([]string{"hosts", "hostname", "resolv.conf", ".containerenv"}, filepath.Base(src)):
			w.sh("$bb mkdir -p $new%s; echo %s > $new%s", filepath.Dir(src), filepath.Base(src), src)
		case strings.HasSuffix(m.Destination, "-init"): // what the engine puts before the program
			w.sh("$bb mkdir -p $new%[1]s; printf '#!/bin/sh\\nshift\\n\"$@\" &\\nwait $!\\n' > $new%[2]s; $bb chmod 755 $new%[2]s", filepath.Dir(src), src)
		default:
			w.sh("$bb mkdir -p $new%s", src)
			if slices.Contains(m.Options, "rshared") {
				w.sh("mount --bind $new%[1]s $new%[1]s; mount --make-rshared $new%[1]s", src)
			}
		}
	}
}

// namespaces makes those that are joined: by name, and those of a process by its number.
func (w *world) namespaces(s *specs.Spec) {
	var pids []string
	for _, ns := range s.Linux.Namespaces {
		if pid, ok := strings.CutPrefix(ns.Path, "/proc/"); ok {
			pid, _, _ = strings.Cut(pid, "/")
			if !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		} else if ns.Path != "" {
			w.sh("$bb mkdir -p $new%s; : > $new%s; unshare --net=$new%[2]s true", filepath.Dir(ns.Path), ns.Path)
		}
	}
	for _, pid := range pids {
		n, err := strconv.Atoi(pid)
		w.b.check(err)
		// The child of unshare is in the new pid namespace, and has the number here.
		w.nextPid(n - 1)
		w.sh("unshare --net --ipc --uts --pid --fork $bb sleep 1000 & until [ -e /proc/%d/ns/pid_for_children ]; do :; done", n)
	}
}

// nextPid is the number that the next process has: ns_last_pid, see pid_namespaces(7).
func (w *world) nextPid(n int) {
	w.sh("echo %d > /proc/sys/kernel/ns_last_pid", n-1)
}

// hooks runs the programs of hooks that are processes.
func (w *world) hooks(s *specs.Spec) {
	if s.Hooks == nil {
		return
	}
	for _, h := range s.Hooks.Prestart {
		pid, ok := strings.CutPrefix(h.Path, "/proc/")
		pid, isExe := strings.CutSuffix(pid, "/exe")
		if n, err := strconv.Atoi(pid); ok && isExe && err == nil {
			w.nextPid(n)
			w.sh("$new/bin/probe pause & until $bb readlink /proc/%d/exe | $bb grep -q probe; do :; done", n)
		}
	}
}

// start makes the namespaces; the world ends with the test.
func (w *world) start(rootless bool) {
	b := w.b
	cmd := exec.Command("/bin/sh", "-c", "mount -t proc proc /proc\n"+w.script.String())
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS}
	enter := []string{"-m", "-p", "-n", "-i", "-u"}
	if rootless {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: userID, Size: 1}, {ContainerID: 1, HostID: subID, Size: 65535}}
		attr.UidMappings, attr.GidMappings, attr.GidMappingsEnableSetgroups = ids, ids, true
		attr.Credential = &syscall.Credential{}
		enter = append(enter, "-U")
		b.check(filepath.WalkDir(b.dir, func(path string, _ os.DirEntry, err error) error {
			if err == nil {
				b.own(path)
			}
			return err
		}))
	}
	cmd.SysProcAttr = attr
	out, err := cmd.StdoutPipe()
	b.check(err)
	errs := b.temp("world")
	cmd.Stderr = errs
	b.check(cmd.Start())
	b.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		b.t.Fatalf("the world says %q: %v: %s", line, err, b.read(errs.Name()))
	}
	w.root = fmt.Sprintf("/proc/%d/root", cmd.Process.Pid)
	b.wrapper = append(append([]string{"nsenter", "-t", strconv.Itoa(cmd.Process.Pid)}, enter...), "--")
}
