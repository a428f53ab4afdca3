package libcontainer

import (
	"hull/internal/fail"
	"hull/internal/trace"
)

// move is one thing that a verb does to the host, and how it is taken back.
type move struct {
	name string
	do   func() error
	undo func() // nil: nothing to take back
}

// through makes the moves in order. When one fails, it and those before it are
// taken back, the last first: an undo has to work on what is half done.
func through(moves []move) error {
	for i, m := range moves {
		ended := trace.Phase(m.name)
		err := fail.Point(m.name)
		if err == nil {
			err = m.do()
		}
		ended()
		if err == nil {
			continue
		}
		for ; i >= 0; i-- {
			if moves[i].undo != nil {
				moves[i].undo()
			}
		}
		return err
	}
	return nil
}
