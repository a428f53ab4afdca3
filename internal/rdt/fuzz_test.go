package rdt

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode"
)

// What a line of schemata says is still said when it is put together from its parts.
func FuzzSchemata(f *testing.F) {
	for _, line := range []string{"L3:0=f;1=f0", "MB:0=  20;1=070", " L3CODE : 00 = 0FF ", "L3:", ":", "L3:0=f;0=1", "a=b", "L3:0=;=1"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		said := map[string]string{}
		parse(line, said)
		for domain, value := range said {
			name, id, ok := strings.Cut(domain, ":")
			if !ok {
				t.Fatalf("%q: %q", line, domain)
			}
			if strings.ContainsFunc(id+value, unicode.IsSpace) {
				continue // no number, which the kernel says
			}
			again := map[string]string{}
			parse(fmt.Sprintf("%s:%s=%s", name, id, value), again)
			if want := map[string]string{domain: value}; !maps.Equal(again, want) {
				t.Errorf("%q: %v becomes %v", line, want, again)
			}
		}
	})
}
