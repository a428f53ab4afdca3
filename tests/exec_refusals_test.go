package tests

import (
	"os"
	"strings"
	"testing"
)

func TestExecRefusesAPausedContainer(t *testing.T) {
	b := running(t)
	b.must("pause", b.id)
	b.refuse(255, []string{"paused"}, "exec", b.id, "/bin/true")
	l := b.live("exec", "--ignore-paused", b.id, "/bin/probe", "say", "thawed")
	b.must("resume", b.id)
	l.want("thawed")
	if r := l.wait(); r.code != 0 {
		t.Error(r)
	}
}

func TestExecRefusesAStoppedContainer(t *testing.T) {
	b := newBox(t, runProbe())
	b.start()
	b.waitStopped()
	b.refuse(255, []string{"stopped"}, "exec", b.id, "/bin/true")
}

func TestExecNamesWhatItCannotRun(t *testing.T) {
	b := running(t)
	b.refuse(255, []string{"nope", "executable file not found in $PATH"}, "exec", b.id, "nope")
	b.refuse(255, []string{"/nope", "no such file or directory"}, "exec", b.id, "/nope")
	b.refuse(255, []string{"/etc/passwd", "permission denied"}, "exec", b.id, "/etc/passwd")
	b.refuse(255, []string{"/etc", "is a directory"}, "exec", b.id, "/etc")
	b.refuse(255, []string{"/nowhere"}, "exec", "--cwd", "/etc/passwd/nowhere", b.id, "/bin/true")
	b.wantStatus("running")
}

func TestExecRefusesLabelsThatTheKernelDoesNotKnow(t *testing.T) {
	modules, err := os.ReadFile("/sys/kernel/security/lsm")
	if err == nil && (strings.Contains(string(modules), "apparmor") || strings.Contains(string(modules), "selinux")) {
		t.Skipf("this kernel has %s", modules)
	}
	b := running(t)
	b.refuse(255, []string{"process.apparmorProfile", "docker-default", "not enabled"}, "exec", "--apparmor", "docker-default", b.id, "/bin/true")
	b.refuse(255, []string{"process.selinuxLabel", "a:b:c:d", "not enabled"}, "exec", "--process-label", "a:b:c:d", b.id, "/bin/true")
}
