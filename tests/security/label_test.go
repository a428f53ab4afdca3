package security

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// needAppArmor loads a profile that allows everything, and returns its name.
func needAppArmor(t *testing.T) string {
	t.Helper()
	enabled, err := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	if err != nil || !strings.HasPrefix(string(enabled), "Y") {
		t.Skip("AppArmor is not enabled in this kernel")
	}
	parser, err := exec.LookPath("apparmor_parser")
	if err != nil {
		t.Skipf("loading a profile needs the package apparmor: %v", err)
	}
	const name = "hull-security-test"
	const profile = "profile " + name + " flags=(attach_disconnected,mediate_deleted) { file, capability, network, mount, umount, pivot_root, signal, ptrace, unix, }\n"
	for _, option := range []string{"--replace", "--remove"} {
		do := func() {
			cmd := exec.Command(parser, "--skip-cache", option)
			cmd.Stdin = strings.NewReader(profile)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("apparmor_parser %s: %v %s", option, err, out)
			}
		}
		if option == "--replace" {
			do()
		} else {
			t.Cleanup(do)
		}
	}
	return name
}

// Another file of the kernel's lies over the one that the label is written to: the program would have none.
func TestCVE_2025_62596_LabelIsWrittenElsewhere(t *testing.T) {
	profile := needAppArmor(t)
	replay(t, func(b *bundle) string {
		over := `cd ` + b.rootfs + `/proc; for f in 1/attr/apparmor/exec 1/attr/exec 1/task/1/attr/apparmor/exec 1/task/1/attr/exec; do
			[ ! -e $f ] || mount --bind sys/kernel/domainname $f; done`
		b.edit(func(s *specs.Spec) {
			s.Process.ApparmorProfile, s.Process.NoNewPrivileges = profile, false
			s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = nil, nil
			s.Hooks = &specs.Hooks{CreateContainer: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-ec", over}, Env: []string{"PATH=/bin:/usr/bin"}}}}
		})
		b.payload(`read label </proc/self/attr/current; echo $label`)
		r := b.run()
		b.worked()
		if r.code != 0 || strings.HasPrefix(r.out, profile) {
			return ""
		}
		return "the label is " + r.out
	}, runc)
}

// The program of a container, and of exec, has the label that was asked for.
func TestCVE_2019_16884_LabelIsWhatWasAskedFor(t *testing.T) {
	profile := needAppArmor(t)
	b := newBundle(t, hull)
	b.edit(func(s *specs.Spec) { s.Process.ApparmorProfile = profile })
	b.payload("cat /proc/self/attr/current >/label; sleep 1000")
	b.start()
	b.wait("label")
	for what, label := range map[string]string{
		"the container": string(b.read("rootfs/label")), "exec": b.must("exec", b.id, "/bin/cat", "/proc/self/attr/current").out,
	} {
		if !strings.HasPrefix(label, profile) {
			t.Errorf("the label of %s is %q", what, label)
		}
	}
	b.edit(func(s *specs.Spec) { s.Process.ApparmorProfile = "no-such-profile" })
	b.must("delete", "--force", b.id)
	b.run()
	b.refused("process.apparmorProfile (no-such-profile)", "not loaded")
}
