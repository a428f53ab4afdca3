package specconv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"

	"hull/internal/plainjson"
)

// decode reads the JSON object raw into v. Its errors are Problems: the first break of the grammar,
// or else all values of a wrong type. Unknown members are ignored and of equal keys the last
// one counts, as config.md (Extensibility) and encoding/json have it.
func decode(file string, raw []byte, v any) error {
	fail := func(offset int, path, fact string) error {
		line, column := lineColumn(raw, offset)
		return Problems{{File: file, Line: line, Column: column, Path: path, Fact: fact}}
	}
	err := plainjson.Unmarshal(raw, v)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset := int(syntax.Offset) - 1
		if strings.HasPrefix(syntax.Error(), "unexpected end") {
			path := walk(raw, func([]byte, mark) {})
			return fail(len(raw), path, "the JSON ends here, too early: is the file cut off?")
		}
		path := walk(raw[:max(offset, 0)], func([]byte, mark) {})
		return fail(offset, path, "this is not JSON: "+syntax.Error())
	}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return wrongTypes(file, raw, v, wrong)
	}
	if err != nil {
		return fail(0, "", "this is not JSON: "+err.Error())
	}
	if start := bytes.TrimLeft(raw, " \t\r\n"); start[0] != '{' { // null is all that gets here
		return fail(len(raw)-len(start), "", "must be an object")
	}
	if !utf8.Valid(raw) { // encoding/json would put U+FFFD in its place
		return fail(invalidUTF8(raw), walk(raw[:invalidUTF8(raw)], func([]byte, mark) {}),
			"this is not JSON: the byte is not part of UTF-8 text")
	}
	return nil
}

// wrongTypes makes Problems of all values that do not fit the Go types. encoding/json tells only the
// first one, so that is replaced by null, and the document read again, until none is left.
func wrongTypes(file string, raw []byte, v any, wrong *json.UnmarshalTypeError) error {
	k := newChecker()
	rest, shift := raw, 0
	for range min(maxProblems, 1+4*maxSize/len(raw)) { // each round reads all of it
		path, start, end := valueAt(rest, int(wrong.Offset)-1)
		k.bad("", nil, "must be %s", expected(wrong.Type))
		p := &k.problems[len(k.problems)-1]
		p.Path, p.Value, p.File = path, clip(rest[start:end]), file
		p.Line, p.Column = lineColumn(raw, start+shift)

		shift += end - start - len("null")
		rest = bytes.Join([][]byte{rest[:start], rest[end:]}, []byte("null"))
		fresh := reflect.New(reflect.TypeOf(v).Elem()).Interface()
		if !errors.As(json.Unmarshal(rest, fresh), &wrong) {
			break
		}
	}
	return k.err()
}

// valueAt finds the value whose first or last byte is at offset: where encoding/json points
// for objects and arrays, and for all others.
func valueAt(raw []byte, offset int) (path string, start, end int) {
	walk(raw, func(at []byte, m mark) {
		if m.value <= offset {
			path, start = string(at), m.value
		}
	})
	w := walker{raw: raw, off: start, visit: func([]byte, mark) {}}
	w.value(start)
	return path, start, w.off
}

func clip(value []byte) string {
	const most = 80
	if len(value) > most {
		return strings.ToValidUTF8(string(value[:most]), "") + "…"
	}
	return string(value)
}

// expected says in the words of the spec what a Go type holds.
func expected(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return fmt.Sprintf("an integer from %d to %d", math.MinInt64>>(64-t.Bits()), math.MaxInt64>>(64-t.Bits()))
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("an integer from 0 to %d", uint64(math.MaxUint64)>>(64-t.Bits()))
	}
	return "a " + t.String()
}

func invalidUTF8(raw []byte) int {
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(raw)
}
