package specconv

import (
	"strings"
	"testing"
)

func TestRefusesBadIds(t *testing.T) {
	for _, id := range []string{"a", "A-b_c+d.e", "0", "...", "-x", strings.Repeat("a", 255)} {
		if err := ID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	const letters = "only letters, digits and _ + - . are allowed"
	for id, want := range map[string]string{
		"":                        `invalid container ID format: "": it is empty`,
		".":                       `invalid container ID format: ".": it names a directory that exists already`,
		"..":                      `invalid container ID format: "..": it names a directory that exists already`,
		"a/b":                     `invalid container ID format: "a/b": ` + letters,
		"../x":                    `invalid container ID format: "../x": ` + letters,
		"a b":                     `invalid container ID format: "a b": ` + letters,
		"a\n":                     `invalid container ID format: "a\n": ` + letters,
		"a\x00":                   `invalid container ID format: "a\x00": ` + letters,
		"é":                       `invalid container ID format: "é": ` + letters,
		"a,b":                     `invalid container ID format: "a,b": ` + letters,
		"ŝ":                       `invalid container ID format: "ŝ": ` + letters, // its low byte is a letter
		strings.Repeat("a", 2000): `invalid container ID format: "` + strings.Repeat("a", 80) + `…": it is longer than 255 bytes`,
	} {
		if err := ID(id); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
