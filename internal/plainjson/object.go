package plainjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// field is a member that a struct can have.
type field struct {
	name  string
	index []int // through embedded structs, see reflect.Value.FieldByIndex
}

// known are the fields of the types met so far: reflect.Type to []field.
var known sync.Map

// fieldsOf lists the members of the struct type t. The bool is false for what
// only encoding/json knows to handle.
func fieldsOf(t reflect.Type) ([]field, bool) {
	if v, ok := known.Load(t); ok {
		list, _ := v.([]field)
		return list, list != nil
	}
	list, ok := collect(t)
	if !ok {
		list = nil
	}
	known.Store(t, list)
	return list, ok
}

func collect(t reflect.Type) ([]field, bool) {
	list := make([]field, 0, t.NumField())
	var embedded []reflect.StructField
	for f := range t.Fields() {
		tag, tagged := f.Tag.Lookup("json")
		switch name, options, _ := strings.Cut(tag, ","); {
		case f.Anonymous && !tagged && f.IsExported():
			embedded = append(embedded, f)
		case f.Anonymous, strings.Contains(options, "string"):
			return nil, false
		case tag == "-", !f.IsExported():
		case name == "":
			list = append(list, field{f.Name, f.Index})
		default:
			list = append(list, field{name, f.Index})
		}
	}
	if len(embedded) > 1 { // whose members may hide each other
		return nil, false
	}
	for _, e := range embedded {
		inner := e.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() != reflect.Struct || custom(inner) {
			return nil, false
		}
		more, ok := collect(inner)
		if !ok {
			return nil, false
		}
		for _, f := range more {
			if find(list, f.name) < 0 { // else hidden
				list = append(list, field{f.name, append(e.Index[:1:1], f.index...)})
			}
		}
	}
	return list, true
}

func find(list []field, name string) int {
	for i, f := range list {
		if f.name == name {
			return i
		}
	}
	return -1
}

// object decodes an object into the struct v.
func (d *decoder) object(v reflect.Value) bool {
	list, ok := fieldsOf(v.Type())
	if !ok || len(list) > 64 {
		return false
	}
	var seen uint64
	return d.nested('}', func() bool {
		name, ok := d.text()
		if !ok || !d.next(':') {
			return false
		}
		i := find(list, string(name))
		if i < 0 {
			for _, f := range list { // encoding/json takes these for the same
				if strings.EqualFold(f.name, string(name)) {
					return false
				}
			}
			return d.skip()
		}
		if seen&(1<<i) != 0 { // a second one of the name
			return false
		}
		seen |= 1 << i
		return d.value(settle(v, list[i].index))
	})
}

// settle is the field of v at index; embedded pointers on the way are made to point.
func settle(v reflect.Value, index []int) reflect.Value {
	for _, i := range index[:len(index)-1] {
		v = v.Field(i)
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
	}
	return v.Field(index[len(index)-1])
}

// skip takes a value that nothing wants, if it is one.
func (d *decoder) skip() bool {
	switch d.peek() {
	case '{':
		return d.nested('}', func() bool {
			return d.peek() == '"' && d.skip() && d.next(':') && d.skip()
		})
	case '[':
		return d.nested(']', d.skip)
	case '"':
		return d.skipText()
	case 'n':
		return d.word("null")
	case 't':
		return d.word("true")
	case 'f':
		return d.word("false")
	}
	begin := d.off
	for d.off < len(d.raw) && strings.IndexByte("+-.0123456789eE", d.raw[d.off]) >= 0 {
		d.off++
	}
	return d.off > begin && json.Valid(d.raw[begin:d.off])
}

// skipText takes a string with or without escapes.
func (d *decoder) skipText() bool {
	begin := d.off
	if _, ok := d.text(); ok {
		return true
	}
	for i := begin + 1; i < len(d.raw); i++ {
		switch d.raw[i] {
		case '\\':
			i++
		case '"':
			d.off = i + 1
			return json.Valid(d.raw[begin:d.off])
		}
	}
	return false
}
