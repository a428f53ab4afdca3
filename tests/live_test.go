package tests

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// live is a command, or the container it made, whose output is read as it comes.
type live struct {
	b      *box
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *os.File
	reader *bufio.Reader
	errs   *os.File
}

func (b *box) startLive(cmd *exec.Cmd) *live {
	b.t.Helper()
	inR, inW, err := os.Pipe()
	b.check(err)
	outR, outW, err := os.Pipe()
	b.check(err)
	l := &live{b: b, cmd: cmd, stdin: inW, stdout: outR, reader: bufio.NewReader(outR), errs: b.temp("err")}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = inR, outW, l.errs
	b.check(cmd.Start())
	inR.Close()
	outW.Close()
	b.check(outR.SetReadDeadline(time.Now().Add(patience)))
	b.t.Cleanup(func() {
		inW.Close()
		outR.Close()
		l.errs.Close()
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return l
}

// line is the next line of the output, without its end.
func (l *live) line() string {
	l.b.t.Helper()
	s, err := l.reader.ReadString('\n')
	if err != nil {
		l.b.excuse(&result{code: 1, stderr: l.b.read(l.errs.Name())})
		l.b.t.Fatalf("%s: %v after %q: %s", strings.Join(l.cmd.Args, " "), err, s, l.b.read(l.errs.Name()))
	}
	return strings.TrimRight(s, "\r\n")
}

// want reads lines that have to be these.
func (l *live) want(lines ...string) {
	l.b.t.Helper()
	for _, want := range lines {
		if got := l.line(); got != want {
			l.b.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// rest is the output to its end, which comes when the last process that writes to it has ended.
func (l *live) rest() string {
	l.b.t.Helper()
	data, err := io.ReadAll(l.reader)
	l.b.check(err)
	return string(data)
}

// wait waits for the command's end.
func (l *live) wait() *result {
	l.b.t.Helper()
	timer := time.AfterFunc(patience, func() { l.cmd.Process.Kill() })
	defer timer.Stop()
	err := l.cmd.Wait()
	r := &result{args: l.cmd.Args, code: l.b.exitCode(err), stderr: l.b.read(l.errs.Name())}
	l.b.excuse(r)
	return r
}

// create makes the container; its output is read from what is returned.
func (b *box) create(flags ...string) *live {
	b.t.Helper()
	l := b.live(append(append([]string{"create", "--bundle", b.bundle}, flags...), b.id)...)
	if r := l.wait(); r.code != 0 {
		b.t.Fatalf("%s", r)
	}
	return l
}

// start makes the container and starts it.
func (b *box) start(flags ...string) *live {
	b.t.Helper()
	l := b.create(flags...)
	b.must("start", b.id)
	return l
}
