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
