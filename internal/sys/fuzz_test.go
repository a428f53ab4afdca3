package sys

import (
	"fmt"
	"strings"
	"testing"
)

// Nothing that a process calls itself changes what is read of it.
func FuzzProcStat(f *testing.F) {
	f.Add("sh", byte('S'), uint32(0x400000), uint64(1))
	f.Add(") R 1 2", byte('Z'), uint32(0x40000c), uint64(1<<64-1))
	f.Add("a\n)(", byte('X'), uint32(4), uint64(0))
	f.Fuzz(func(t *testing.T, name string, state byte, flags uint32, start uint64) {
		if state < 'A' || state > 'z' {
			state = 'R'
		}
		line := fmt.Sprintf("7 (%s) %c %s %d %s %d 0 0\n", name, state, strings.Repeat("1 ", 5), flags, strings.Repeat("1 ", 12), start)
		if got, err := parseStat([]byte(line)); err != nil || got != (ProcStat{state, flags&4 != 0, start}) {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
		_, _ = parseStat([]byte(name))
	})
}
