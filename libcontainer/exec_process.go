package libcontainer

import (
	"errors"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// errNoProcess is why a container without a process cannot be started. It can be created, and
// others can be executed in it: config.md, Process.
var errNoProcess = errors.New("process: is missing: there is nothing to start")

// noProcess stands for a process that the configuration lacks, up to its program.
func noProcess() *specs.Process { return &specs.Process{Cwd: "/"} }

// Process is a copy of the process of the container's configuration, a start
// for exec's.
func (c *Container) Process() (*specs.Process, error) {
	s, err := c.spec()
	if err != nil {
		return nil, err
	}
	if s.Process == nil {
		return noProcess(), nil
	}
	p := *s.Process
	if p.Capabilities != nil {
		sets := *p.Capabilities
		p.Capabilities = &sets
	}
	return &p, nil
}

// adapt gives the configuration's process what only the caller of create knows.
func (o *CreateOptions) adapt(p *specs.Process) {
	p.Env = append(p.Env, o.Env...)
	if p.Terminal && o.ConsoleSize != nil {
		p.ConsoleSize = o.ConsoleSize
	}
}
