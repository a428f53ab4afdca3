package specconv

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// mark is where a value begins in the document, and its key; the key of what is no member is its value.
type mark struct{ key, value int }

// walker goes through a JSON document that encoding/json has accepted, or through the part before
// an error, and knows the JSON path of each value. It is only needed when there is a problem.
type walker struct {
	raw   []byte
	off   int
	path  []byte
	visit func(path []byte, m mark)
	ended bool
	end   string // path of what was being read when raw ended
}

// walk visits each value of raw, outer ones first. It returns the path at which raw ended.
func walk(raw []byte, visit func(path []byte, m mark)) string {
	w := walker{raw: raw, visit: visit}
	w.next()
	w.value(w.off)
	return w.end
}

// next skips to the next byte that is not white space, and is false at the end.
func (w *walker) next() bool {
	for w.off < len(w.raw) {
		switch w.raw[w.off] {
		case ' ', '\t', '\n', '\r':
			w.off++
		default:
			return true
		}
	}
	if !w.ended {
		w.ended, w.end = true, string(w.path)
	}
	return false
}

func (w *walker) value(key int) {
	if !w.next() {
		return
	}
	w.visit(w.path, mark{key, w.off})
	switch w.raw[w.off] {
	case '{':
		w.members(func(int) { w.member() })
	case '[':
		w.members(func(i int) {
			w.path = append(strconv.AppendInt(append(w.path, '['), int64(i), 10), ']')
			w.value(w.off)
		})
	case '"':
		w.str()
	default:
		for w.off < len(w.raw) && strings.IndexByte(" \t\r\n,:]}", w.raw[w.off]) < 0 {
			w.off++
		}
	}
}

// members calls each with the number of each member of an object or array, at its first byte.
func (w *walker) members(each func(i int)) {
	depth := len(w.path)
	w.off++
	for i := 0; w.next(); i++ {
		switch w.raw[w.off] {
		case '}', ']':
			w.off++
			return
		case ',':
			w.off++
			if !w.next() {
				return
			}
		}
		before := w.off
		each(i)
		if w.off == before || !w.next() { // no progress: this is not JSON
			return
		}
		w.path = w.path[:depth]
	}
}

func (w *walker) member() {
	key := w.off
	w.path = appendKey(w.path, unquote(w.str()))
	if w.next() && w.raw[w.off] == ':' {
		w.off++
		w.value(key)
	}
}

// str skips a string and returns it with its quotes.
func (w *walker) str() []byte {
	start := w.off
	for w.off++; w.off < len(w.raw); w.off++ {
		switch w.raw[w.off] {
		case '\\':
			w.off++
		case '"':
			w.off++
			return w.raw[start:w.off]
		}
	}
	w.off = len(w.raw)
	w.next()
	return nil
}

func unquote(quoted []byte) (s string) {
	if len(quoted) > 1 && bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	_ = json.Unmarshal(quoted, &s) // what is cut off is ""
	return s
}

// appendKey adds a member's key to a JSON path: .name, or ["name"] when it is not a plain word.
func appendKey(path []byte, key string) []byte {
	plain := key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if !plain {
		return append(strconv.AppendQuote(append(path, '['), key), ']')
	}
	if len(path) > 0 {
		path = append(path, '.')
	}
	return append(path, key...)
}

// parent is the path of the object or array that holds path; "" is the document.
func parent(path string) string {
	if strings.HasSuffix(path, `"]`) {
		return path[:strings.LastIndex(path, `["`)] // a quote inside the key is written \"
	}
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// find returns where the paths are in raw. What is not in raw is missing from the result.
func find(raw []byte, paths []string) map[string]mark {
	nowhere := mark{-1, -1}
	wanted := make(map[string]mark)
	for _, path := range paths {
		wanted[string(fold(nil, path))] = nowhere
	}
	var folded []byte
	walk(raw, func(path []byte, m mark) {
		folded = fold(folded[:0], path)
		if _, ok := wanted[string(folded)]; ok {
			wanted[string(folded)] = m // the last of two equal keys is the one that counts
		}
	})
	found := make(map[string]mark)
	for _, path := range paths {
		if m := wanted[string(fold(nil, path))]; m != nowhere {
			found[path] = m
		}
	}
	return found
}

// fold appends path without capital letters: encoding/json takes keys in any case.
func fold[T string | []byte](to []byte, path T) []byte {
	for _, c := range []byte(path) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

// locate is err with the positions of all problems in the document, in their order there; and with
// the REQUIRED numbers that turned out to be missing.
func (r *report) locate(file string, raw []byte) error {
	if len(r.problems)+len(r.required) == 0 {
		return nil
	}
	paths := slices.Clone(r.required)
	for _, p := range r.problems {
		for path := p.Path; path != ""; path = parent(path) {
			paths = append(paths, path)
		}
	}
	for _, path := range r.required {
		for path = parent(path); path != ""; path = parent(path) {
			paths = append(paths, path)
		}
	}
	found := find(raw, paths)
	for _, path := range r.required {
		if _, ok := found[path]; !ok {
			checker{report: r}.bad(path, nil, "is missing, and is REQUIRED by the spec")
		}
	}
	for i := range r.problems {
		r.problems[i].place(file, raw, found)
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		if a.Column != b.Column {
			return a.Column - b.Column
		}
		return strings.Compare(a.Path, b.Path)
	})
	return r.err()
}

// place sets the position: that of the value, or of the nearest thing around it that is there.
func (p *Problem) place(file string, raw []byte, found map[string]mark) {
	p.File = file
	path, offset := p.Path, 0
	for path != "" {
		if m, ok := found[path]; ok {
			offset = m.value
			if p.atKey && path == p.Path {
				offset = m.key
			}
			break
		}
		path = parent(path)
	}
	p.Line, p.Column = lineColumn(raw, offset)
}

// lineColumn counts both from 1, columns in bytes as compilers do.
func lineColumn(raw []byte, offset int) (line, column int) {
	before := raw[:max(0, min(offset, len(raw)))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}
