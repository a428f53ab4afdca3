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

// named is a flag that knows its names. Those of urfave's run a regular
// expression each time, and are asked once for each two flags of a command.
type named struct {
	plainFlag
	names []string
}

// Names is of [urfave.Flag].
func (n *named) Names() []string { return n.names }

// namesOf are the names of a flag; the first regular expression takes a while, so most do without.
func namesOf(f plainFlag) []string {
	switch f := f.(type) {
	case *urfave.StringFlag:
		return append([]string{f.Name}, f.Aliases...)
	case *urfave.BoolFlag:
		return append([]string{f.Name}, f.Aliases...)
	}
	return f.Names()
}

// withNames lets flags know their names.
func withNames(flags []urfave.Flag) []urfave.Flag {
	for i, f := range flags {
		repeated, ok := f.(urfave.DocGenerationSliceFlag)
		if plain, isPlain := f.(plainFlag); isPlain && !(ok && repeated.IsSliceFlag()) {
			flags[i] = &named{plain, namesOf(plain)}
		}
	}
	return flags
}
