package sys

import (
	"fmt"
	"strings"
	"testing"
)

// Nothing that a process calls itself changes what is read of it.
func FuzzProcStat(f *testing.F) {
	f.Add("sh", byte('S'), uint64(1))
	f.Add(") R 1 2", byte('Z'), uint64(1<<64-1))
	f.Add("a\n)(", byte('X'), uint64(0))
	f.Fuzz(func(t *testing.T, name string, state byte, start uint64) {
		if state < 'A' || state > 'z' {
			state = 'R'
		}
		line := fmt.Sprintf("7 (%s) %c %s %d 0 0\n", name, state, strings.Repeat("1 ", 18), start)
		if got, err := parseStat([]byte(line)); err != nil || got != (ProcStat{state, start}) {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
		_, _ = parseStat([]byte(name))
	})
}
