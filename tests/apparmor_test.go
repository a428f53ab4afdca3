package tests

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// loadProfile loads an AppArmor profile that forbids nothing but to write to
// /tmp/denied, and returns its name. apparmor.d(5)
func (b *box) loadProfile() string {
	b.t.Helper()
	needRoot(b.t, "it loads a profile")
	if enabled, err := os.ReadFile("/sys/module/apparmor/parameters/enabled"); err != nil || enabled[0] != 'Y' {
		b.t.Skip("AppArmor is not enabled in this kernel")
	}
	if _, err := exec.LookPath("apparmor_parser"); err != nil {
		b.t.Skipf("%v: install apparmor", err)
	}
	parse := func(action, text string) {
		cmd := exec.Command("apparmor_parser", "--skip-cache", action)
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.t.Fatalf("apparmor_parser %s: %v\n%s", action, err, out)
		}
	}
	profile := "profile " + b.id + ` flags=(attach_disconnected) {
		file, capability, network, signal, ptrace, unix, mount, umount, pivot_root,
		deny /tmp/denied w,
	}`
	parse("--replace", profile)
	b.t.Cleanup(func() { parse("--remove", profile) })
	return b.id
}

// confinedScript tells the profile that it is under, and tries what the profile forbids.
const confinedScript = `cat /proc/self/attr/current; echo x 2>&1 >/tmp/allowed; (echo x >/tmp/denied) 2>&1`

// wantConfined compares what confinedScript says.
func (b *box) wantConfined(out, profile string) {
	b.t.Helper()
	if want := profile + " (enforce)\n/bin/sh: can't create /tmp/denied: Permission denied\n"; out != want {
		b.t.Errorf("got %q, want %q", out, want)
	}
}

func TestAppArmorProfileConfinesTheProgram(t *testing.T) {
	for name, edits := range map[string][]edit{"root": nil, "user namespace": {userNamespace(200000)}, "no new privileges": {process(func(p *specs.Process) { p.NoNewPrivileges = true })}} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, edits...)
			profile := b.loadProfile()
			b.edit(shell(confinedScript), process(func(p *specs.Process) { p.ApparmorProfile = profile }))
			b.wantConfined(b.run().stdout, profile)
		})
	}
}

func TestAppArmorProfileConfinesExecToo(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	profile := b.loadProfile()
	b.start()
	if out := b.hull("exec", b.id, "/bin/sh", "-c", confinedScript).stdout; out != "unconfined\n" {
		t.Errorf("got %q without a profile", out)
	}
	b.wantConfined(b.hull("exec", "--apparmor", profile, b.id, "/bin/sh", "-c", confinedScript).stdout, profile)

	confined := newBox(t, runProbe("pause"), process(func(p *specs.Process) { p.ApparmorProfile = profile }))
	confined.start()
	confined.wantConfined(confined.hull("exec", confined.id, "/bin/sh", "-c", confinedScript).stdout, profile)
}

func TestAppArmorProfileThatIsNotLoadedIsSaid(t *testing.T) {
	b := newBox(t, runProbe("pause"))
	profile := b.loadProfile()
	b.start()
	b.refuse(255, []string{"process.apparmorProfile (" + profile + "x)", "the profile is not loaded"}, "exec", "--apparmor", profile+"x", b.id, "/bin/true")
	b.must("delete", "--force", b.id)
	b.edit(process(func(p *specs.Process) { p.ApparmorProfile = profile + "x" }))
	b.run().expect(b, 1, "process.apparmorProfile ("+profile+"x)", "the profile is not loaded")
	b.wantNothingLeft()
}
