package libcontainer

import "github.com/opencontainers/runtime-spec/specs-go"

// Process is the process of the container's configuration, a start for exec's.
func (c *Container) Process() (*specs.Process, error) {
	s, err := c.spec()
	if err != nil {
		return nil, err
	}
	if s.Process == nil {
		return &specs.Process{}, nil
	}
	return s.Process, nil
}

// adapt gives the configuration's process what only the caller of create knows.
func (o *CreateOptions) adapt(p *specs.Process) {
	if p == nil {
		return
	}
	p.Env = append(p.Env, o.Env...)
	if p.Terminal && o.ConsoleSize != nil {
		p.ConsoleSize = o.ConsoleSize
	}
}
