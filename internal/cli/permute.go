package cli

import (
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// permute moves the flags of the command in args to before its operands,
// where package flag looks for them: callers of runc may write
// `kill ID --all`. What follows the id in exec and ps is left alone, as it
// belongs to the process and to ps(1).
func permute(app *urfave.App, args []string) []string {
	at := commandAt(app.Flags, args)
	if at == len(args) {
		return args
	}
	command := app.Command(args[at])
	if command == nil || command.Name == "exec" || command.Name == "ps" {
		return args
	}
	flags, operands := split(command.Flags, args[at+1:])
	return slices.Concat(args[:at+1], flags, operands)
}

// commandAt is where in args the command stands: behind the global flags.
func commandAt(flags []urfave.Flag, args []string) int {
	at := 1
	for at < len(args) && isFlag(args[at]) {
		at += 1 + skipsValue(flags, args[at])
	}
	return min(at, len(args))
}

// split tells the flags in args, with their values, from the operands.
func split(known []urfave.Flag, args []string) (flags, operands []string) {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			return flags, append(append([]string{"--"}, operands...), args[i+1:]...)
		case !isFlag(args[i]):
			operands = append(operands, args[i])
		default:
			end := min(i+1+skipsValue(known, args[i]), len(args))
			flags = append(flags, args[i:end]...)
			i = end - 1
		}
	}
	return flags, operands
}

// isFlag says whether package flag takes arg for a flag; `-` alone is a word, most often standard input.
func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' && arg != "--" }

// skipsValue is 1 if arg is a flag among known whose value is the next argument.
func skipsValue(known []urfave.Flag, arg string) int {
	name := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	for _, f := range known {
		if slices.Contains(f.Names(), name) {
			if d, ok := f.(urfave.DocGenerationFlag); ok && d.TakesValue() {
				return 1
			}
		}
	}
	return 0
}
