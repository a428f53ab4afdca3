package cli

import urfave "github.com/urfave/cli/v2"

// plainFlag is what urfave's flags are, but for those that can be repeated.
type plainFlag interface {
	urfave.ActionableFlag
	urfave.CategorizableFlag
	urfave.DocGenerationFlag
	urfave.RequiredFlag
	urfave.VisibleFlag
}

// named is a flag that remembers its names. Those of urfave's run a regular
// expression each time, and are asked once for each two flags of a command.
type named struct {
	plainFlag
	names []string
}

// Names is of [urfave.Flag].
func (n *named) Names() []string {
	if n.names == nil {
		n.names = n.plainFlag.Names()
	}
	return n.names
}

// withNames lets flags remember their names.
func withNames(flags []urfave.Flag) []urfave.Flag {
	for i, f := range flags {
		repeated, ok := f.(urfave.DocGenerationSliceFlag)
		if plain, isPlain := f.(plainFlag); isPlain && !(ok && repeated.IsSliceFlag()) {
			flags[i] = &named{plainFlag: plain}
		}
	}
	return flags
}
