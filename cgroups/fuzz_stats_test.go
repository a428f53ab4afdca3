package cgroups

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No text in a cgroup's file makes a reader of statistics fail otherwise than by an
// error, and a list of CPUs is the numbers that it was made of.
func FuzzStatistics(f *testing.F) {
	for _, text := range []string{
		"", "max\n", "-1", "0-3,7\n", "3-1", "65535", "65536", "usage_usec 1\nnr_periods x\n", "1 2 3 \n", "8:0 rbytes=1 wbytes=2\n8:16\n",
		"8:0 Read 1\n8:0 Write 18446744073709551615\nTotal 1\n", "some avg10=0.00 avg60=1.5 avg300=2 total=7\nfull avg10=x\n",
	} {
		f.Add(text)
	}
	path := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		name := filepath.Join(path, "file")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		dirFD, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer dirFD.Close()
		read := func() *counters { return &counters{d: &dir{fd: int(dirFD.Fd()), path: path}} }
		read().uint("file")
		read().table("file")
		read().numbers("file")
		read().psi("file")
		read().blkio("file")
		c := read()
		list := c.list("file")
		if c.err != nil {
			return
		}
		words := make([]string, len(list))
		for i, n := range list {
			words[i] = fmt.Sprint(n)
		}
		if err := os.WriteFile(name, []byte(strings.Join(words, ",")), 0o600); err != nil {
			t.Fatal(err)
		}
		if again := read().list("file"); fmt.Sprint(again) != fmt.Sprint(list) {
			t.Errorf("%q: %v, and from that %v", text, list, again)
		}
	})
}
