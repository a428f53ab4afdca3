package tests

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// terminalOf asks for a terminal of a size; 0 is none in particular.
func withTerminal(rows, cols uint) edit {
	return process(func(p *specs.Process) {
		p.Terminal = true
		if rows > 0 {
			p.ConsoleSize = &specs.Box{Height: rows, Width: cols}
		}
	})
}

func TestConsoleSocketGetsTheTerminal(t *testing.T) {
	b := newBox(t, withTerminal(33, 101), runProbe("controlling", ",", "size", ",", "line", ",", "say", "bye"))
	l := b.listen("console")
	b.create("--console-socket", b.path("console"))
	master, name := b.receiveOne(l)
	if !strings.HasPrefix(name, "/dev/") {
		t.Errorf("the message is %q", name)
	}
	tm := newTerminal(t, master)
	b.must("start", b.id)
	tm.want("session 1 foreground 1 tty /dev/pts/0", "size 33 101")
	tm.enter("typed\n")
	tm.want("typed", "line typed", "bye") // the terminal echoes
	tm.drain()
	b.waitStopped()
}

func TestTerminalIsTheContainersConsole(t *testing.T) {
	b := newBox(t, withTerminal(0, 0), user(1000, 1000), runProbe("report", ",", "open", "/dev/console", "+", ",", "open", "/dev/tty", "+", ",", "open", "/dev/pts/0", "+"))
	l := b.listen("console")
	b.create("--console-socket", b.path("console"))
	master, _ := b.receiveOne(l)
	tm := newTerminal(t, master)
	b.must("start", b.id)
	r := parseReport(t, tm.line())
	if m := r.mount("/dev/console"); m == nil || m.FSType != "devpts" {
		t.Errorf("/dev/console is %+v", m)
	}
	if want := "/dev/pts/0"; r.FDs["0"] != want || r.FDs["1"] != want || r.FDs["2"] != want || len(r.FDs) != 3 {
		t.Errorf("the descriptors are %v", r.FDs)
	}
	if r.SID != 1 || r.TTY[0] != 1 || r.TTY[2] != 1 {
		t.Errorf("session %d, terminals %v", r.SID, r.TTY)
	}
	tm.want("open /dev/console +: ok", "open /dev/tty +: ok", "open /dev/pts/0 +: ok")
}

func TestTerminalAndConsoleSocketGoTogether(t *testing.T) {
	b := newBox(t, withTerminal(0, 0))
	b.refuse(1, []string{"tty", "console socket"}, "create", "--bundle", b.bundle, b.id)
	b.refuse(1, []string{"tty", "console socket"}, "run", "--detach", "--bundle", b.bundle, b.id)
	b.refuse(1, []string{"/no/such/socket", "no such file or directory"}, "create", "--console-socket", "/no/such/socket", "--bundle", b.bundle, b.id)
	b.edit(process(func(p *specs.Process) { p.Terminal = false }))
	b.listen("console")
	b.refuse(1, []string{"tty", "console socket"}, "create", "--console-socket", b.path("console"), "--bundle", b.bundle, b.id)
	b.wantNothingLeft()
}

func TestRunOnATerminal(t *testing.T) {
	needCreate(t)
	b := newBox(t, withTerminal(0, 0), runProbe("trap", "2", ",", "controlling", ",", "resized", "2", ",", "line", ",", "exit", "9"))
	tm, cmd := b.onTerminal("run", "--bundle", b.bundle, b.id)
	before := tm.termios()
	tm.want("session 1 foreground 1 tty /dev/pts/0", "size 24 80")
	tm.resize(50, 132)
	tm.want("size 50 132")
	tm.resize(10, 20)
	tm.want("size 10 20")
	tm.enter("\x03") // Ctrl-C is the container's
	if got := tm.line(); got != "^Csignal 2" {
		t.Errorf("Ctrl-C shows %q", got)
	}
	tm.enter("typed\r")
	tm.want("typed", "line typed")
	if code := b.exitCode(cmd.Wait()); code != 9 {
		t.Errorf("exit code %d, want 9", code)
	}
	if after := tm.termios(); after != before {
		t.Errorf("the terminal was left as %+v, it was %+v", after, before)
	}
	b.wantNothingLeft()
}

// termios are the settings of the terminal's other end.
func (tm *terminal) termios() unix.Termios {
	tm.t.Helper()
	var got *unix.Termios
	conn, err := tm.master.SyscallConn()
	if err != nil {
		tm.t.Fatal(err)
	}
	var ioctlErr error
	err = conn.Control(func(fd uintptr) { got, ioctlErr = unix.IoctlGetTermios(int(fd), unix.TCGETS) })
	if err := errors.Join(err, ioctlErr); err != nil {
		tm.t.Fatal(err)
	}
	return *got
}

func TestRunWithATerminalShowsAllOutputOfAShortProgram(t *testing.T) {
	needCreate(t)
	b := newBox(t, withTerminal(0, 0), shell("i=0; while [ $i -lt 500 ]; do echo line $i of many; i=$((i+1)); done"))
	tm, cmd := b.onTerminal("run", "--bundle", b.bundle, b.id)
	out := tm.drain()
	if code := b.exitCode(cmd.Wait()); code != 0 || !strings.HasSuffix(out, "line 499 of many\r\n") || strings.Count(out, "\r\n") != 500 {
		t.Errorf("exit code %d, %d lines, the last of\n%s", code, strings.Count(out, "\n"), out[max(0, len(out)-100):])
	}
}

func TestRunWithATerminalWithoutOneOutside(t *testing.T) {
	b := newBox(t, withTerminal(0, 0), runProbe("controlling"))
	if got := strings.ReplaceAll(b.mustRun(), "\r", ""); got != "session 1 foreground 1 tty /dev/pts/0\n" {
		t.Errorf("got %q", got)
	}
}

// The shell that reads the first end of file is not the last to want one.
func TestEndOfInputIsToldAgainWhenTheTerminalIsSet(t *testing.T) {
	b := newBox(t, withTerminal(0, 0), shell("cat; stty -icanon min 1 -echo; head -c 1 | wc -c"))
	if got := strings.ReplaceAll(b.mustRun(), "\r", ""); got != "1\n" {
		t.Errorf("got %q", got)
	}
}

func TestExecOnATerminal(t *testing.T) {
	needCall(t, "pidfd_open")
	b := running(t)
	tm, cmd := b.onTerminal("exec", "--tty", b.id, "/bin/probe", "controlling", ",", "resized", "1", ",", "exit", "6")
	tm.want("session 1 foreground 1 tty /dev/pts/0", "size 24 80")
	tm.resize(44, 55)
	tm.want("size 44 55")
	if code := b.exitCode(cmd.Wait()); code != 6 {
		t.Errorf("exit code %d, want 6", code)
	}
}

func TestExecDetachedSendsItsTerminal(t *testing.T) {
	b := running(t)
	l := b.listen("console")
	b.must("exec", "--tty", "--detach", "--console-socket", b.path("console"), b.id, "/bin/probe", "controlling", ",", "line")
	master, _ := b.receiveOne(l)
	tm := newTerminal(t, master)
	tm.want("session 1 foreground 1 tty /dev/pts/0")
	tm.enter("x\n")
	tm.want("x", "line x")
	b.refuse(255, []string{"tty", "console socket"}, "exec", "--tty", "--detach", b.id, "/bin/true")
}

func TestOrdinaryUserCanOpenItsOutputAgain(t *testing.T) {
	b := newBox(t, user(1000, 1000), runProbe("open", "/dev/stdout", "w", ",", "open", "/dev/stdin", "r"))
	l := b.live("run", "--bundle", b.bundle, b.id)
	l.want("open /dev/stdout w: ok", "open /dev/stdin r: ok")
	if r := l.wait(); r.code != 0 {
		t.Error(r)
	}
}

func TestHangupOfTheTerminalEndsAShell(t *testing.T) {
	b := newBox(t, withTerminal(0, 0), args("/bin/sh"))
	l := b.listen("console")
	b.create("--console-socket", b.path("console"))
	master, _ := b.receiveOne(l)
	b.must("start", b.id)
	pid := b.state().Pid
	master.Close()
	b.ended(pid)
	b.wantStatus("stopped")
}

// script(1) is what people record terminals with; it closes its end in its own way.
func TestRunUnderScript(t *testing.T) {
	needCreate(t)
	path, err := exec.LookPath("script")
	if err != nil {
		t.Skip("script(1) is not installed")
	}
	b := newBox(t, withTerminal(0, 0), runProbe("say", "recorded", ",", "exit", "3"))
	cmd := b.command(t.Context(), "run", "--bundle", b.bundle, b.id)
	cmd.Args = []string{"script", "-qec", strings.Join(cmd.Args, " "), os.DevNull}
	cmd.Path = path
	if r := b.finish(t.Context(), cmd); r.code != 3 || !strings.Contains(r.stdout, "recorded") {
		t.Error(r)
	}
}
