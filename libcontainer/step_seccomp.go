package libcontainer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/seccomp"
	"hull/internal/sys"
)

// stepSeccompEarly and stepSeccompLate install linux.seccomp, one of them: see the table.
func stepSeccompEarly(b *build) error {
	if b.process.NoNewPrivileges {
		return nil
	}
	return b.filter()
}

func stepSeccompLate(b *build) error {
	if !b.process.NoNewPrivileges {
		return nil
	}
	return b.filter()
}

func (b *build) filter() error {
	if b.spec.Linux == nil || b.spec.Linux.Seccomp == nil {
		return nil
	}
	// "~" is in no container id, so the cache is never taken for a container.
	f, err := seccomp.Load(filepath.Join(filepath.Dir(b.opt.stateDir), "~seccomp"), b.spec.Linux.Seccomp)
	if err != nil {
		return err
	}
	if f == nil || len(f.Program) == 0 {
		return nil
	}
	b.At("linux.seccomp", "")
	b.Seccomp(f.Program, f.Flags)
	return nil
}

// sendListener hands the notification descriptor of the process pid to the agent at
// linux.seccomp.listenerPath, with the container process state. config-linux.md, Seccomp.
func (c *Container) sendListener(s *specs.Spec, pid int, fd *os.File) error {
	sc := s.Linux.Seccomp
	sock, err := sys.DialStream(sc.ListenerPath)
	if err != nil {
		return fmt.Errorf("linux.seccomp.listenerPath: %w", err)
	}
	defer sock.Close()
	state, err := json.Marshal(specs.ContainerProcessState{
		Version:  specs.Version,
		Fds:      []string{specs.SeccompFdName},
		Pid:      pid,
		Metadata: sc.ListenerMetadata,
		State: specs.State{
			Version: specs.Version, ID: c.ID, Status: specs.StateCreated, Pid: c.rec.Init.Pid,
			Bundle: c.rec.Bundle, Annotations: c.rec.Notes,
		},
	})
	if err != nil {
		return err
	}
	if err := sys.SendFile(sock, string(state), fd); err != nil {
		return fmt.Errorf("linux.seccomp.listenerPath (%s): %w", sc.ListenerPath, err)
	}
	return nil
}
