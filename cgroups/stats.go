package cgroups

// Stats are the counters of a container's cgroup, in the shape of the data of
// `runc events`, which other programs read.
type Stats struct {
}

func (c *v1) Stats() (*Stats, error) { return &Stats{}, nil }
func (c *v2) Stats() (*Stats, error) { return &Stats{}, nil }
