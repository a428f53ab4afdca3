package rdt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/sys"
)

// Line is one line of a schemata file, and the field that it comes from.
type Line struct{ Field, Text string }

// lines are those that the configuration asks for, in the order that config-linux.md wants them written.
func lines(r *specs.LinuxIntelRdt) []Line {
	list := Schemas("linux.intelRdt.l3CacheSchema", r.L3CacheSchema, "linux.intelRdt.memBwSchema", r.MemBwSchema)
	for i, text := range r.Schemata {
		list = append(list, Line{fmt.Sprintf("linux.intelRdt.schemata[%d]", i), text})
	}
	return list
}

// Schemas are the lines for a cache and for memory bandwidth, without those that are empty.
func Schemas(cacheField, cache, memoryField, memory string) []Line {
	var list []Line
	if cache != "" {
		list = append(list, Line{cacheField, cache})
	}
	if memory != "" {
		list = append(list, Line{memoryField, memory})
	}
	return list
}

// Write writes lines to the schemata of the class, one write each: so an error is that line's.
func (g *Group) Write(list []Line) error {
	for _, l := range list {
		if err := g.writeFile(filepath.Join(g.Class, "schemata"), l.Text); err != nil {
			return fmt.Errorf("%s: %w", l.Field, err)
		}
	}
	return nil
}

// InForce are the lines that the class has now of the schemas that list is about.
func (g *Group) InForce(list []Line) ([]Line, error) {
	path := filepath.Join(g.Class, "schemata")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s (%s): %w", list[0].Field, path, sys.Bare(err))
	}
	var now []Line
	for _, l := range list {
		name, _, _ := strings.Cut(l.Text, ":")
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, name+":") {
				now = append(now, Line{l.Field, line})
			}
		}
	}
	return now, nil
}

// compare refuses a class that is there with other values than the configuration's.
func (g *Group) compare(r *specs.LinuxIntelRdt) error {
	wanted := Schemas("linux.intelRdt.l3CacheSchema", r.L3CacheSchema, "linux.intelRdt.memBwSchema", r.MemBwSchema)
	if len(wanted) == 0 {
		return nil
	}
	path := filepath.Join(g.Class, "schemata")
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("linux.intelRdt.closID (%s): %w", path, sys.Bare(err))
	}
	have := map[string]string{}
	for line := range strings.Lines(string(text)) {
		parse(line, have)
	}
	for _, w := range wanted {
		want := map[string]string{}
		parse(w.Text, want)
		for domain, value := range want {
			if have[domain] != value {
				return fmt.Errorf("%s (%s): the class of service %s is there already, and has %s", w.Field, w.Text, g.Class, shown(string(text), domain))
			}
		}
	}
	return nil
}

// parse adds what a line NAME:ID=VALUE;… says, by NAME:ID, without leading zeros and spaces.
func parse(line string, into map[string]string) {
	name, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
	for pair := range strings.SplitSeq(rest, ";") {
		id, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		value = strings.TrimLeft(strings.ToLower(strings.TrimSpace(value)), "0")
		into[strings.TrimSpace(name)+":"+strings.TrimLeft(strings.TrimSpace(id), "0")] = value
	}
}

// shown is the line of the schemata that domain is in.
func shown(text, domain string) string {
	name, _, _ := strings.Cut(domain, ":")
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, name+":") {
			return line
		}
	}
	return "no " + name
}
