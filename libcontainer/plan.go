package libcontainer

import (
	"hull/internal/plan"
	"hull/specconv"
)

// Plan is what Create would have done inside the container: checked, compiled, and not performed.
func Plan(o CreateOptions) ([]*plan.Op, error) {
	cfg, err := specconv.Load(o.Bundle, o.Config)
	if err != nil {
		return nil, err
	}
	_, b, err := (&Root{Dir: "/"}).prepare("plan", cfg, &o)
	if err != nil {
		return nil, err
	}
	return b.Ops(), nil
}
