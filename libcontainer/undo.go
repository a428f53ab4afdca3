package libcontainer

// undo is what has to be taken back when a verb fails: last done, first undone.
type undo []func()

func (u *undo) add(fn func()) { *u = append(*u, fn) }

// run takes back everything, unless the verb has succeeded.
func (u *undo) run() {
	for i := len(*u) - 1; i >= 0; i-- {
		(*u)[i]()
	}
	*u = nil
}

// keep forgets what there was to undo.
func (u *undo) keep() { *u = nil }
