package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What config.md demands and no other file here is about.

func TestMountDestinationMayBeRelative(t *testing.T) {
	b := newBox(t, mount("mnt", "tmpfs", "tmpfs"), process(func(p *specs.Process) { p.Cwd = "/home" }))
	if b.report().mount("/mnt") == nil {
		t.Error("nothing is mounted at /mnt")
	}
}

func TestIdmapNeedsMappingsOrAUserNamespace(t *testing.T) {
	needRoot(t, "a mount is mapped by another user namespace than its own")
	for _, word := range []string{"idmap", "ridmap"} {
		t.Run(word, func(t *testing.T) {
			b := newBox(t)
			b.check(os.Mkdir(b.path("source"), 0o755))
			b.edit(bind(b.path("source"), word))
			b.run().expect(b, 1, "mounts[5]", "map")
			b.wantNothingLeft()
		})
	}
}

func TestMappingsOfAMountGoTogether(t *testing.T) {
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 10}}
	for missing, change := range map[string]func(*specs.Mount){
		"mounts[5].gidMappings": func(m *specs.Mount) { m.UIDMappings = ids },
		"mounts[5].uidMappings": func(m *specs.Mount) { m.GIDMappings = ids },
	} {
		b := newBox(t, bind("/usr", "idmap"), func(s *specs.Spec) { change(&s.Mounts[5]) })
		b.run().expect(b, 1, missing, "must be given along with")
		b.wantNothingLeft()
	}
}

// Mappings of a mount count without idmap, and without a user namespace.
func TestMappingsOfAMountNeedNoOption(t *testing.T) {
	needRoot(t, "a mount is mapped by another user namespace than its own")
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 1000}}
	b := newBox(t, shell("stat -c %u:%g /mnt"))
	b.check(os.Mkdir(b.path("source"), 0o755))
	b.edit(bind(b.path("source")), func(s *specs.Spec) { s.Mounts[5].UIDMappings, s.Mounts[5].GIDMappings = ids, ids })
	b.wantOutput("200000:200000")
}

func TestConsoleSizeCountsOnlyWithATerminal(t *testing.T) {
	size := process(func(p *specs.Process) { p.ConsoleSize = &specs.Box{Height: 1 << 20, Width: 1 << 20} })
	b := newBox(t, size, runProbe("say", "ran"))
	b.wantOutput("ran")
	b.listen("console")
	b.edit(withTerminal(0, 0))
	b.refuse(1, []string{"process.consoleSize", "1048576"}, "create", "--console-socket", b.path("console"), "--bundle", b.bundle, b.id)
}

// config.md, Linux Process: what is not set is 0, whatever the caller's is.
func TestSchedulerStartsFromZero(t *testing.T) {
	needRoot(t, "it raises its priority")
	b := newBox(t, process(func(p *specs.Process) { p.Scheduler = &specs.Scheduler{Policy: specs.SchedOther} }))
	b.wrapper = []string{"nice", "-n", "5"}
	if r := b.report(); r.Nice != 0 || r.Priority != 0 {
		t.Errorf("nice %d, priority %d", r.Nice, r.Priority)
	}
	b.spec.Process.Scheduler = nil
	want := min(ownNice(t)+5, 19)
	if r := b.edit().report(); r.Nice != want {
		t.Errorf("without a scheduler nice is %d, the caller's is %d", r.Nice, want)
	}
}

func TestUnknownMembersAreIgnored(t *testing.T) {
	b := newBox(t, runProbe("say", "ran"), func(s *specs.Spec) {
		s.Annotations = map[string]string{"org.example.unknown": "x", "org.opencontainers.unknown": ""}
	})
	text := strings.Replace(b.read(filepath.Join(b.bundle, "config.json")), "{", `{"unknown": {"a": [1, null]}, "solaris": {"milestone": "x"},`, 1)
	text = strings.Replace(text, `"process": {`, `"process": {"unknown": 1, "commandLine": "x",`, 1)
	text = strings.Replace(text, `"linux": {`, `"linux": {"unknown": "x",`, 1)
	b.writeConfig(text)
	b.wantOutput("ran")
}

func TestAnnotationsAreStringsByStrings(t *testing.T) {
	b := newBox(t, runProbe("pause"), func(s *specs.Spec) { s.Annotations = map[string]string{"org.example.empty": "", "org.example.x": "1"} })
	config := b.read(filepath.Join(b.bundle, "config.json"))
	b.create()
	if got := b.state().Annotations; len(got) != 2 || got["org.example.x"] != "1" {
		t.Errorf("the annotations are %v", got)
	}
	b.must("delete", "--force", b.id)
	for value, word := range map[string]string{`1`: "must be a string", `{}`: "must be a string", `["x"]`: "must be a string"} {
		b.writeConfig(strings.Replace(config, `"org.example.x": "1"`, `"org.example.x": `+value, 1))
		b.run().expect(b, 1, "annotations", word)
	}
	b.writeConfig(strings.Replace(config, `"org.example.x"`, `""`, 1))
	b.run().expect(b, 1, "annotations", "a key must not be empty")
	b.wantNothingLeft()
}

func TestStopSignalOfTheImageIsKillsDefault(t *testing.T) {
	for word, line := range map[string]string{"SIGUSR1": "signal 10", "12": "signal 12", "": "signal 15"} {
		b := newBox(t, runProbe("trap", "10", "12", "15", ",", "say", "ready", ",", "pause"),
			func(s *specs.Spec) { s.Annotations = map[string]string{"org.opencontainers.image.stopSignal": word} })
		l := b.start()
		l.want("ready")
		b.must("kill", b.id)
		l.want(line)
		b.must("kill", b.id, "TERM") // what the caller says counts
		l.want("signal 15")
	}
	b := running(t, func(s *specs.Spec) { s.Annotations = map[string]string{"org.opencontainers.image.stopSignal": "NOPE"} })
	b.refuse(1, []string{"annotations.org.opencontainers.image.stopSignal", `"NOPE"`}, "kill", b.id)
	b.wantStatus("running")
}

// Each kind of hook is looked for where it runs, but createContainer's, which is the host's.
func TestHookPathsAreOfTheirNamespace(t *testing.T) {
	for _, kind := range hookKinds {
		t.Run(kind, func(t *testing.T) {
			b := newBox(t)
			script := "#!/bin/sh\ntouch \"$DIR/ran\"\n"
			outside := b.file("outside", script)
			b.check(os.Chmod(outside, 0o755))
			b.check(os.WriteFile(b.rootfs+"/bin/inside", []byte(script), 0o755))
			b.check(os.MkdirAll(b.path("log"), 0o777))
			good, bad, dir := outside, "/bin/inside", b.path("log")
			if kind == "startContainer" {
				good, bad, dir = bad, good, "/mnt"
				b.check(os.Symlink("busybox", b.rootfs+"/bin/touch"))
			}
			env := []string{"DIR=" + dir, "PATH=/bin:/usr/bin"}
			b.edit(b.logged(), hook(kind, specs.Hook{Path: good, Env: env})).mustRun()
			b.read(b.path("log", "ran"))
			b.edit(func(s *specs.Spec) { s.Hooks = nil }, hook(kind, specs.Hook{Path: bad, Env: env}))
			code := 1
			if kind == "poststop" {
				code = 0
			}
			b.run().expect(b, code, "hooks."+kind+"[0]", bad, "no such file or directory")
		})
	}
}

func TestHooksOfEveryKindAreChecked(t *testing.T) {
	for _, kind := range hookKinds {
		b := newBox(t, hook(kind, specs.Hook{Path: "relative", Timeout: new(0)}), hook(kind, specs.Hook{Timeout: new(-1)}))
		b.run().expect(b, 1, "hooks."+kind+"[0].path", "absolute", "hooks."+kind+"[0].timeout", "hooks."+kind+"[1].path", "hooks."+kind+"[1].timeout")
		b.wantNothingLeft()
	}
}

// The hooks of create find the namespaces and the mounts made, and the host's root still in place.
func TestHooksOfCreateRunBeforeTheRootIsChanged(t *testing.T) {
	for _, kind := range []string{"prestart", "createRuntime", "createContainer"} {
		t.Run(kind, func(t *testing.T) {
			b := newBox(t)
			look := `pid=$(sed 's/.*"pid": *\([0-9]*\).*/\1/'); readlink /proc/$pid/root > $DIR/root; cat /proc/$pid/mountinfo > $DIR/mounts; readlink /proc/$pid/ns/net > $DIR/net`
			if kind == "createContainer" { // its /proc is the host's
				look = `readlink /proc/self/root > $DIR/root; cat /proc/self/mountinfo > $DIR/mounts; readlink /proc/self/ns/net > $DIR/net`
			}
			b.edit(b.script(kind, look)).mustRun()
			if got := b.read(b.path("log", "root")); got != "/\n" {
				t.Errorf("the root is %q", got)
			}
			for _, dir := range []string{"/proc", "/dev", "/dev/pts", "/sys"} {
				if mounts := b.read(b.path("log", "mounts")); !strings.Contains(mounts, b.rootfs+dir+" ") {
					t.Errorf("%s is not mounted: %s", dir, mounts)
				}
			}
			if got := b.read(b.path("log", "net")); got == hostNamespace(t, "net")+"\n" {
				t.Errorf("the network namespace is the host's, %s", got)
			}
		})
	}
}

func TestPoststartHooksFindTheProgramRunning(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	b.edit(b.script("startContainer", "busybox readlink /proc/1/exe > $DIR/before"),
		b.script("poststart", `pid=$(sed 's/.*"pid": *\([0-9]*\).*/\1/'); readlink /proc/$pid/exe > $DIR/after`), b.logged()).start()
	if got := b.read(b.path("log", "after")); got != "/bin/probe\n" {
		t.Errorf("poststart hooks find %q running", got)
	}
	if got := b.read(b.path("log", "before")); got == "/bin/probe\n" {
		t.Errorf("startContainer hooks find %q running", got)
	}
}

func TestPoststopHooksFindNothingOfTheContainer(t *testing.T) {
	b := newBox(t)
	roots, err := hierarchies()
	b.check(err)
	var look strings.Builder
	for _, root := range roots {
		fmt.Fprintf(&look, "ls -d %s/%s >> $LOG 2>&1; ", root, b.id)
	}
	b.edit(b.script("poststop", look.String()+"cat /proc/$(cat $DIR/pid)/cmdline >> $LOG 2>&1; true")) // nothing of a zombie
	b.start("--pid-file", b.path("log", "pid")).rest()
	b.waitStopped()
	b.must("delete", b.id)
	for line := range strings.Lines(b.hookLog()) {
		if !strings.Contains(line, "No such file or directory") && !strings.Contains(line, "cannot access") {
			t.Errorf("it finds %q", line)
		}
	}
}

func TestErrnoIsForActionsThatTakeOne(t *testing.T) {
	for _, action := range []specs.LinuxSeccompAction{specs.ActKill, specs.ActKillProcess, specs.ActTrap, specs.ActAllow, specs.ActLog} {
		b := newBox(t, seccomp(rule(specs.ActErrno, "mkdir")), profile(func(p *specs.LinuxSeccomp) {
			p.DefaultAction, p.DefaultErrnoRet = action, ptr(uint(unix.EPERM))
		}))
		b.run().expect(b, 1, "linux.seccomp.defaultErrnoRet")
		b.edit(profile(func(p *specs.LinuxSeccomp) {
			p.DefaultAction, p.DefaultErrnoRet = specs.ActErrno, nil
			p.Syscalls[0].Action, p.Syscalls[0].ErrnoRet = action, ptr(uint(unix.EPERM))
		}))
		b.run().expect(b, 1, "linux.seccomp.syscalls[0].errnoRet")
		b.wantNothingLeft()
	}
}
