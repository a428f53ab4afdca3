package specconv

import (
	"fmt"
	"strings"
)

// ID reports what cannot be a container's id. Ids become names of files and of cgroups, and parts of
// command lines and unit names; they are made of letters, digits and _ + - . as with other runtimes.
func ID(id string) error {
	const most = 255 // NAME_MAX: the id is the name of a directory
	var fact string
	switch {
	case id == "":
		fact = "it is empty"
	case id == "." || id == "..":
		fact = "it names a directory that exists already"
	case len(id) > most:
		fact = fmt.Sprintf("it is longer than %d bytes", most)
	case strings.ContainsFunc(id, func(r rune) bool {
		return r > 0x7f || !alphanumeric(byte(r)) && !strings.ContainsRune("_+-.", r) //nolint:gosec // ASCII
	}):
		fact = "only letters, digits and _ + - . are allowed"
	default:
		return nil
	}
	return fmt.Errorf("invalid container ID format: %s: %s", text(id), fact)
}
