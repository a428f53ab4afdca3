package cgroups

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// counters reads statistics from a cgroup. What this kernel does not count
// stays zero; any other error stays in err.
type counters struct {
	d   *dir
	err error
}

func (c *counters) text(file string) string {
	text, err := c.d.read(file)
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EOPNOTSUPP) {
		c.note(file, err)
	}
	return text
}

func (c *counters) note(file string, err error) {
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("statistics (%s): cannot be read: %w", filepath.Join(c.d.path, file), err)
	}
}

func (c *counters) uint(file string) uint64 {
	text := c.text(file)
	if text == "" {
		return 0
	}
	n, err := parseUint(text)
	c.note(file, err)
	return n
}

// table reads lines of a name and a number.
func (c *counters) table(file string) map[string]uint64 {
	table := map[string]uint64{}
	for line := range strings.Lines(c.text(file)) {
		name, value, _ := strings.Cut(line, " ")
		n, err := parseUint(value)
		c.note(file, err)
		table[name] = n
	}
	return table
}

// numbers reads numbers between white space.
func (c *counters) numbers(file string) []uint64 {
	var list []uint64
	for word := range strings.FieldsSeq(c.text(file)) {
		n, err := parseUint(word)
		c.note(file, err)
		list = append(list, n)
	}
	return list
}

// list reads a list of CPUs or memory nodes such as 0-3,7: cpuset(7), "List format".
func (c *counters) list(file string) []uint16 {
	var list []uint16
	for part := range strings.SplitSeq(c.text(file), ",") {
		if part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 16)
		c.note(file, err)
		to, err := strconv.ParseUint(last, 10, 16)
		c.note(file, err)
		for n := from; n <= to && c.err == nil; n++ {
			list = append(list, uint16(n)) //nolint:gosec // parsed as 16 bits
		}
	}
	return list
}

// psi reads a pressure file, which is not there (or answers EOPNOTSUPP) where
// the kernel does not measure it.
func (c *counters) psi(file string) *PSI {
	text := c.text(file)
	if text == "" {
		return nil
	}
	psi := &PSI{}
	for line := range strings.Lines(text) {
		data := &psi.Some
		if strings.HasPrefix(line, "full") {
			data = &psi.Full
		}
		_, numbers, _ := strings.Cut(line, " ")
		_, err := fmt.Sscanf(numbers, "avg10=%f avg60=%f avg300=%f total=%d", &data.Avg10, &data.Avg60, &data.Avg300, &data.Total)
		c.note(file, err)
	}
	return psi
}

// deviceNumbers reads major:minor.
func (c *counters) deviceNumbers(file, text string) (major, minor uint64) {
	a, b, _ := strings.Cut(text, ":")
	major, err := strconv.ParseUint(a, 10, 32)
	c.note(file, err)
	minor, err = strconv.ParseUint(b, 10, 32)
	c.note(file, err)
	return major, minor
}
