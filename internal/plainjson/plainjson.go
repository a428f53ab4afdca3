// Package plainjson decodes JSON in a process that has just begun.
//
// encoding/json is quick once it knows a type. Before that it looks at all of
// the type's fields, and theirs, and makes an encoder for each: for a
// config.json that takes twenty times as long as the decoding, and hull
// decodes one or two documents in its life.
//
// Decode looks at what the document has. It knows only what documents
// usually contain; for all else, errors included, it says that it cannot tell,
// and encoding/json decides. What it does decode is what encoding/json
// would: the fuzz test compares the two.
package plainjson

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// Unmarshal is json.Unmarshal into v, a pointer to a zero value.
func Unmarshal(raw []byte, v any) error {
	if Decode(raw, v) {
		return nil
	}
	reflect.ValueOf(v).Elem().SetZero()
	return json.Unmarshal(raw, v)
}

// Decode decodes raw into v, a pointer to a zero value. When it returns false,
// v is to be thrown away, and encoding/json to be asked.
func Decode(raw []byte, v any) bool {
	if !utf8.Valid(raw) { // encoding/json replaces what is not
		return false
	}
	d := decoder{raw: raw}
	return d.value(reflect.ValueOf(v).Elem()) && d.peek() == 0
}

// maxDepth of nested values is less than what encoding/json allows.
const maxDepth = 1000

type decoder struct {
	raw   []byte
	off   int
	depth int
}

// peek skips white space and returns the next byte, 0 at the end.
func (d *decoder) peek() byte {
	for ; d.off < len(d.raw); d.off++ {
		switch c := d.raw[d.off]; c {
		case ' ', '\t', '\r', '\n':
		case 0:
			return 1 // which begins nothing
		default:
			return c
		}
	}
	return 0
}

// next takes the byte c if it is the next one.
func (d *decoder) next(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.off++
	return true
}

// word takes one of null, true and false.
func (d *decoder) word(w string) bool {
	if end := d.off + len(w); end <= len(d.raw) && string(d.raw[d.off:end]) == w {
		d.off = end
		return true
	}
	return false
}

// text takes a string without escapes.
func (d *decoder) text() ([]byte, bool) {
	if !d.next('"') {
		return nil, false
	}
	for i := d.off; i < len(d.raw); i++ {
		switch c := d.raw[i]; {
		case c == '"':
			s := d.raw[d.off:i]
			d.off = i + 1
			return s, true
		case c == '\\' || c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// integer takes a number without fraction or exponent.
func (d *decoder) integer() (string, bool) {
	begin := d.off
	if d.off < len(d.raw) && d.raw[d.off] == '-' {
		d.off++
	}
	first := d.off
	for d.off < len(d.raw) && '0' <= d.raw[d.off] && d.raw[d.off] <= '9' {
		d.off++
	}
	if n := d.off - first; n == 0 || n > 1 && d.raw[first] == '0' {
		return "", false
	}
	if d.off < len(d.raw) && (d.raw[d.off] == '.' || d.raw[d.off]|' ' == 'e') {
		return "", false
	}
	return string(d.raw[begin:d.off]), true
}

// value decodes the next value into v, which is zero.
func (d *decoder) value(v reflect.Value) bool {
	switch c := d.peek(); {
	case custom(v.Type()):
		begin := d.off
		return d.skip() && json.Unmarshal(d.raw[begin:d.off], v.Addr().Interface()) == nil
	case c == 'n':
		return d.word("null") // leaves a zero value what it is
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(v.Elem())
	case c == '{' && v.Kind() == reflect.Struct:
		return d.object(v)
	case c == '{' && v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String && !custom(v.Type().Key()):
		v.Set(reflect.MakeMap(v.Type()))
		return d.nested('}', func() bool { return d.entry(v) })
	case c == '[' && v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		return d.nested(']', func() bool {
			v.Grow(1)
			v.SetLen(v.Len() + 1)
			return d.value(v.Index(v.Len() - 1))
		})
	case c == '"' && v.Kind() == reflect.String:
		begin := d.off
		s, ok := d.text()
		if ok {
			v.SetString(string(s))
			return true
		}
		d.off = begin
		return d.skip() && json.Unmarshal(d.raw[begin:d.off], v.Addr().Interface()) == nil
	case c == 't' && v.Kind() == reflect.Bool:
		v.SetBool(true)
		return d.word("true")
	case c == 'f' && v.Kind() == reflect.Bool:
		return d.word("false")
	case v.CanInt():
		s, ok := d.integer()
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		v.SetInt(n)
		return ok && err == nil
	case v.CanUint():
		s, ok := d.integer()
		n, err := strconv.ParseUint(s, 10, v.Type().Bits())
		v.SetUint(n)
		return ok && err == nil
	}
	return false
}

// custom says whether a type decodes itself, or is any.
func custom(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return true
	}
	p := reflect.PointerTo(t)
	return t.PkgPath() != "" && p.NumMethod() > 0 &&
		(p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()))
}

// nested takes an object or an array, whose elements each takes.
func (d *decoder) nested(end byte, each func() bool) bool {
	if d.depth++; d.depth > maxDepth {
		return false
	}
	d.off++
	if d.next(end) {
		d.depth--
		return true
	}
	for each() {
		switch {
		case d.next(end):
			d.depth--
			return true
		case !d.next(','):
			return false
		}
	}
	return false
}

// entry decodes one member of an object into the map m.
func (d *decoder) entry(m reflect.Value) bool {
	name, ok := d.text()
	if !ok || !d.next(':') {
		return false
	}
	key := reflect.ValueOf(string(name)).Convert(m.Type().Key())
	elem := reflect.New(m.Type().Elem()).Elem()
	if m.MapIndex(key).IsValid() || !d.value(elem) { // a second one of that name
		return false
	}
	m.SetMapIndex(key, elem)
	return true
}
