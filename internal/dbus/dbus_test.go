package dbus

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

var valuesOfAllTypes = []Variant{
	{"y", byte(255)},
	{"b", true},
	{"n", int16(-2)},
	{"q", uint16(65535)},
	{"i", int32(-3)},
	{"u", uint32(4294967295)},
	{"x", int64(-4)},
	{"t", uint64(1 << 63)},
	{"d", 1.5},
	{"s", "text"},
	{"o", "/a/b"},
	{"g", "a(sv)"},
	{"v", Variant{"as", []any{"a", ""}}},
	{"ay", []any{byte(1), byte(2)}},
	{"as", []any{}},
	{"at", []any{uint64(1)}},
	{"a(st)", []any{[]any{"a", uint64(1)}, []any{"bcdef", uint64(2)}}},
	{"(yta(yt)s)", []any{byte(1), uint64(2), []any{[]any{byte(3), uint64(4)}}, "end"}},
}

func TestValuesComeBackAsTheyWereSent(t *testing.T) {
	var sig strings.Builder
	var args []any
	for _, v := range valuesOfAllTypes {
		sig.WriteString("y" + v.Signature) // the byte disturbs the alignment
		args = append(args, byte(0), v.Value)
	}
	var e encoder
	if err := e.values(sig.String(), args); err != nil {
		t.Fatal(err)
	}
	d := decoder{buf: e.buf}
	got, err := d.values(sig.String())
	if err != nil || !reflect.DeepEqual(got, args) || d.pos != len(e.buf) {
		t.Errorf("got %v, %v at %d of %d\nwant %v", got, err, d.pos, len(e.buf), args)
	}
	for n := range e.buf {
		d := decoder{buf: e.buf[:n]}
		if _, err := d.values(sig.String()); err == nil {
			t.Fatalf("%d of %d bytes were enough", n, len(e.buf))
		}
	}
}

func TestEncodesAsTheSpecificationSays(t *testing.T) {
	var e encoder
	if err := e.values("yau", []any{byte(7), []any{uint32(1), uint32(2)}}); err != nil {
		t.Fatal(err)
	}
	if want := "\x07\x00\x00\x00" + "\x08\x00\x00\x00" + "\x01\x00\x00\x00" + "\x02\x00\x00\x00"; string(e.buf) != want {
		t.Errorf("got %q, want %q", e.buf, want)
	}
}

func TestRefusesValuesOfAnotherType(t *testing.T) {
	for _, v := range valuesOfAllTypes {
		var e encoder
		if err := e.values(v.Signature, []any{struct{}{}}); err == nil {
			t.Errorf("%s takes anything", v.Signature)
		}
	}
	for _, sig := range []string{"z", "a", "(", "()", "(s", "a{sv}", "a()"} {
		if _, _, err := next(sig); err == nil {
			t.Errorf("%q is taken for a type", sig)
		}
	}
}

func TestReadsGVariantText(t *testing.T) {
	for text, want := range map[string]Variant{
		"true":                        {"b", true},
		"5":                           {"i", int32(5)},
		" -0x10 ":                     {"i", int32(-16)},
		"1.5":                         {"d", 1.5},
		"uint64 18446744073709551615": {"t", uint64(1<<64 - 1)},
		"byte 255":                    {"y", byte(255)},
		"'it\\'s'":                    {"s", "it's"},
		`"a\tbé"`:                     {"s", "a\tbé"},
		"objectpath '/a'":             {"o", "/a"},
		"['a', 'b']":                  {"as", []any{"a", "b"}},
		"@as []":                      {"as", []any{}},
		"@at [1, 2]":                  {"at", []any{uint64(1), uint64(2)}},
		"[uint32 1, 2]":               {"au", []any{uint32(1), uint32(2)}},
		"('a', uint64 1)":             {"(st)", []any{"a", uint64(1)}},
		"@a(st) [('a', 1)]":           {"a(st)", []any{[]any{"a", uint64(1)}}},
		"<'x'>":                       {"v", Variant{"s", "x"}},
		"@(su) ('a', 1)":              {"(su)", []any{"a", uint32(1)}},
	} {
		if got, err := ParseVariant(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, %v; want %#v", text, got, err, want)
		}
	}
}

func TestRefusesWhatIsNoGVariantText(t *testing.T) {
	for _, text := range []string{
		"", "text", "'open", "[1, 'a']", "[", "[1", "[1 2]", "[]", "()", "(1", "@as", "@z 1", "@as 5", "@u 'a'", "byte 256",
		"uint64 -1", "true false", "{'a': 1}", "<1", "@(su) ('a')", "@(su) ('a', 1, 2)", "'\\q'", "string 5", strings.Repeat("[", 100),
	} {
		if got, err := ParseVariant(text); err == nil {
			t.Errorf("%s became %#v", text, got)
		}
	}
}

func FuzzMessages(f *testing.F) {
	var e encoder
	_ = e.values("yyyyuua(yv)", []any{byte('l'), byte(kindSignal), byte(0), byte(1), uint32(4), uint32(1), []any{
		[]any{byte(fieldMember), Variant{"s", "JobRemoved"}}, []any{byte(fieldBodySignature), Variant{"g", "u"}},
	}})
	e.align(8)
	f.Add(append(e.buf, 1, 0, 0, 0))
	f.Fuzz(func(_ *testing.T, b []byte) {
		n, err := messageSize(b)
		if err != nil || n == 0 || n > len(b) {
			return
		}
		if m, err := parse(b[:n]); err == nil {
			_, _ = m.Args()
		}
	})
}

func FuzzGVariantTextComesBackFromTheWire(f *testing.F) {
	for _, text := range []string{"['a', 'b']", "@a(st) [('a', 1)]", "<uint64 5>", "-1.5e3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseVariant(text)
		if err != nil {
			return
		}
		var e encoder
		if err := e.value("v", v); err != nil {
			if len(v.Signature) > 255 {
				return
			}
			t.Fatalf("%s became %#v, which cannot be sent: %v", text, v, err)
		}
		d := decoder{buf: e.buf}
		if got, err := d.value("v"); err != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", v) { // NaN is not NaN
			t.Fatalf("%s became %#v, and %#v on the wire: %v", text, v, got, err)
		}
	})
}
