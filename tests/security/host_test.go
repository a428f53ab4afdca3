package security

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What of the host's a container reaches through devices, hooks, the kernel's files and hull's reading.

// A list of rules that only allows is no list of what is denied.
func TestGHSA_g54h_m393_cpwq_DevicesAreAllowedUnlessDenied(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.edit(func(s *specs.Spec) {
			null := specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: new(int64(1)), Minor: new(int64(3)), Access: "rwm"}
			s.Linux.Resources = &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{null}}
			caps := append([]string{"CAP_MKNOD"}, s.Process.Capabilities.Bounding...)
			s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Permitted: caps, Effective: caps}
		})
		// kmsg, fuse and tun: harmless when they are opened
		b.payload(`for d in "1 11" "10 229" "10 200"; do rm -f /node; busybox mknod /node c $d && (exec 3</node) 2>&1 && echo $d could be opened; done | grep opened; true`)
		r := b.run()
		b.worked()
		return r.out
	}, without("device rules"))
}

// hooks run with what the image gives the container's process.
func TestCVE_2025_23266_HookHasTheContainersEnvironment(t *testing.T) {
	kinds := map[string]func(*specs.Hooks) *[]specs.Hook{
		"prestart":        func(h *specs.Hooks) *[]specs.Hook { return &h.Prestart },
		"createRuntime":   func(h *specs.Hooks) *[]specs.Hook { return &h.CreateRuntime },
		"createContainer": func(h *specs.Hooks) *[]specs.Hook { return &h.CreateContainer },
		"poststart":       func(h *specs.Hooks) *[]specs.Hook { return &h.Poststart },
		"poststop":        func(h *specs.Hooks) *[]specs.Hook { return &h.Poststop },
	}
	replay(t, func(b *bundle) string {
		b.edit(func(s *specs.Spec) {
			s.Process.Env = append(s.Process.Env, "LD_PRELOAD=/evil.so", "PATH=/evil")
			s.Process.Args = []string{"/bin/true"}
			s.Hooks = &specs.Hooks{}
			for kind, list := range kinds {
				dump := fmt.Sprintf("/bin/cat /proc/self/environ >%s.%s", b.path("environ"), kind)
				*list(s.Hooks) = []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", dump}, Env: []string{"OWN=1"}}}
			}
		})
		b.vars = []string{"HULL_CALLER=1"}
		b.run()
		b.worked()
		won := ""
		for kind := range kinds {
			text, err := os.ReadFile(b.path("environ." + kind))
			if b.name == hull.name {
				b.check(err)
			}
			if strings.Contains(string(text), "evil") || strings.Contains(string(text), "HULL_CALLER") {
				won += kind + " has the environment of others; " // which is not for a log
			}
		}
		return won
	}, without("hook.env"))
}

// bomb puts something in the place of the image's passwd that is no good to read.
func bomb(make func(b *bundle, file string)) attack {
	return func(b *bundle) string {
		file := b.image("etc/passwd")
		b.check(os.Remove(file))
		make(b, file)
		limit := "20"
		if b.fails {
			limit = "5" // it hangs
		}
		// Little address space: whoever reads without a bound fails, or hangs.
		b.wrap = []string{"timeout", "--signal=KILL", limit, "sh", "-c", `ulimit -v 4000000; exec "$@"`, "sh"}
		b.payload("echo $HOME")
		r := b.run()
		if r.code != 0 || r.out != "/\n" {
			return r.String()
		}
		return ""
	}
}

func TestCVE_2026_61801_PasswdOfTheImageHasNoEnd(t *testing.T) {
	replay(t, bomb(func(b *bundle, file string) {
		b.check(os.WriteFile(file, []byte(strings.Repeat("x:x:7:7::/:/bin/sh\n", 1<<17)+"root:x:0:0::/far:/bin/sh\n"), 0o644))
	}), without("bound of passwd"))
	for name, text := range map[string]string{"one line": strings.Repeat("7", 1<<21), "sparse": "root:x:"} {
		t.Run(name, func(t *testing.T) {
			replay(t, bomb(func(b *bundle, file string) {
				b.check(os.WriteFile(file, []byte(text), 0o644))
				b.check(os.Truncate(file, 10<<30))
			}))
		})
	}
}

func TestCVE_2026_47262_PasswdOfTheImageIsNoFile(t *testing.T) {
	for name, make := range map[string]func(*bundle, string){
		"fifo":     func(b *bundle, f string) { b.check(unix.Mkfifo(f, 0o644)) },
		"device":   func(b *bundle, f string) { b.check(unix.Mknod(f, unix.S_IFCHR|0o644, int(unix.Mkdev(1, 5)))) },
		"link":     func(b *bundle, f string) { b.check(os.Symlink("/proc/kcore", f)) },
		"dir":      func(b *bundle, f string) { b.check(os.Mkdir(f, 0o755)) },
		"of host":  func(b *bundle, f string) { b.check(os.Symlink("../../../../../../../etc/passwd", f)) },
		"dangling": func(b *bundle, f string) { b.check(os.Symlink("/nowhere", f)) },
	} {
		t.Run(name, func(t *testing.T) {
			var vulnerable []target
			if name == "fifo" {
				vulnerable = []target{without("kind of passwd")}
			}
			replay(t, bomb(make), vulnerable...)
		})
	}
}

// The default configuration leaves nothing of the kernel's files to write to.
func TestCVE_2015_3630_DefaultLeavesProcWritable(t *testing.T) {
	replay(t, func(b *bundle) string {
		b.payload(`for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/domainname /proc/irq/default_smp_affinity; do
			[ -e $f ] && (exec 3>>$f) 2>&1 && echo $f is writable; done | grep writable; true`)
		r := b.run()
		b.worked()
		return r.out
	}, asked("no masks", func(s *specs.Spec) { s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = nil, nil }))
}

// A file over a sysctl of the container gets what hull should have written to the kernel.
func TestCVE_2025_52881_SysctlIsWrittenElsewhere(t *testing.T) {
	replay(t, func(b *bundle) string {
		dir := b.canary("canary")
		over := fmt.Sprintf("mount --bind %s/file %s/proc/sys/net/ipv4/ip_forward", dir, b.rootfs)
		b.edit(func(s *specs.Spec) {
			s.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
			s.Hooks = &specs.Hooks{CreateContainer: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", over}, Env: []string{"PATH=/bin:/usr/bin"}}}}
		})
		b.run()
		b.worked()
		return b.harm()
	}, runc)
}
