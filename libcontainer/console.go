package libcontainer

import (
	"errors"
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/sys"
)

// checkConsole says whether the arguments fit process.terminal, in runc's words.
func checkConsole(p *specs.Process, detached bool, socket string) error {
	switch {
	case detached && p.Terminal && socket == "":
		return errors.New("cannot allocate tty if hull will detach without setting console socket")
	case (!detached || !p.Terminal) && socket != "":
		return errors.New("cannot use console socket if hull will not detach or allocate tty")
	}
	return nil
}

// takeConsole hands the terminal's master to whoever serves it: the console socket, or our caller.
func (b *build) takeConsole(master *os.File) error {
	if b.opt.ConsoleSocket != "" {
		sock, err := sys.DialStream(b.opt.ConsoleSocket)
		if err != nil {
			return fmt.Errorf("console: %w", err)
		}
		defer sock.Close()
		if err := sys.SendFile(sock, "/dev/ptmx", master); err != nil {
			return fmt.Errorf("console socket %s: %w", b.opt.ConsoleSocket, err)
		}
		return nil
	}
	console, err := sys.Dup(master)
	if err != nil {
		return err
	}
	b.console = console
	return nil
}
