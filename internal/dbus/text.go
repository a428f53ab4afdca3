package dbus

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ParseVariant reads a value in GVariant's text format
// (https://docs.gtk.org/glib/gvariant-text-format.html), such as `'text'`,
// `uint64 5`, `['a', 'b']` or `@as []`. Dictionaries and maybe types are left
// out: hull has no use for them.
func ParseVariant(text string) (Variant, error) {
	p := &textParser{rest: text}
	v, err := p.value("")
	if p.space(); err == nil && p.rest != "" {
		err = fmt.Errorf("%q follows the value", p.rest)
	}
	return v, err
}

type textParser struct {
	rest  string
	depth int
}

// keywords are the types that have names in the text format.
var keywords = map[string]string{
	"boolean": "b", "byte": "y", "int16": "n", "uint16": "q", "int32": "i", "uint32": "u", "int64": "x",
	"uint64": "t", "double": "d", "string": "s", "objectpath": "o", "signature": "g",
}

func (p *textParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// accept skips c if it comes next.
func (p *textParser) accept(c byte) bool {
	p.space()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// word takes what reaches until the next space or mark.
func (p *textParser) word() string {
	p.space()
	end := strings.IndexAny(p.rest, " \t\r\n,[]()<>{}'\"")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// value reads a value; sig is its type, if that is known already.
func (p *textParser) value(sig string) (Variant, error) {
	if p.depth++; p.depth > maxDepth {
		return Variant{}, fmt.Errorf("values nest more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept('@'):
		return p.annotated(sig)
	case p.accept('['):
		return p.list(sig, 'a', ']')
	case p.accept('('):
		return p.list(sig, '(', ')')
	case p.accept('<'):
		v, err := p.value("")
		if err == nil && !p.accept('>') {
			err = errors.New("a variant has no end")
		}
		return typed(sig, "v", v, err)
	case p.rest != "" && (p.rest[0] == '\'' || p.rest[0] == '"'):
		return p.text(sig)
	}
	word := p.word()
	if kind, ok := keywords[word]; ok {
		v, err := p.value(kind)
		return typed(sig, kind, v.Value, err)
	}
	return scalar(sig, word)
}

// annotated reads a type and a value of it.
func (p *textParser) annotated(sig string) (Variant, error) {
	end := strings.IndexAny(p.rest, " \t\r\n")
	if end < 0 {
		return Variant{}, errors.New("a type has no value")
	}
	kind := p.rest[:end]
	p.rest = p.rest[end:]
	if _, rest, err := next(kind); err != nil || rest != "" {
		return Variant{}, fmt.Errorf("%q is no type", kind)
	}
	v, err := p.value(kind)
	return typed(sig, kind, v.Value, err)
}

// typed is a value of type kind, where one of type sig is wanted.
func typed(sig, kind string, value any, err error) (Variant, error) {
	if err == nil && sig != "" && sig != kind {
		err = fmt.Errorf("a value of type %s stands where one of type %s has to", kind, sig)
	}
	return Variant{kind, value}, err
}

// list reads the elements of an array, which have one type, or of a structure.
func (p *textParser) list(sig string, kind, end byte) (Variant, error) {
	if sig != "" && sig[0] != kind {
		return Variant{}, fmt.Errorf("a list stands where a value of type %s has to", sig)
	}
	elements, inner := []any{}, strings.TrimSuffix(strings.TrimLeft(sig, "("), ")")
	element, all := "", ""
	if kind == 'a' && sig != "" {
		element = sig[1:]
	}
	for !p.accept(end) {
		if len(elements) > 0 && !p.accept(',') {
			return Variant{}, fmt.Errorf("a comma or %q is missing before %q", end, p.rest)
		}
		if kind == '(' && sig != "" {
			var err error
			if element, inner, err = next(inner); err != nil {
				return Variant{}, err
			}
		} else if kind == '(' {
			element = ""
		}
		v, err := p.value(element)
		if err != nil {
			return Variant{}, err
		}
		elements, all = append(elements, v.Value), all+v.Signature
		element = v.Signature
	}
	switch {
	case kind == '(' && (len(elements) == 0 || sig != "" && inner != ""):
		return Variant{}, errors.New("a structure has too few values")
	case kind == '(':
		return Variant{"(" + all + ")", elements}, nil
	case element == "":
		return Variant{}, errors.New("an empty list needs a type, such as @as")
	}
	return Variant{"a" + element, elements}, nil
}

// text reads a string between quotes.
func (p *textParser) text(sig string) (Variant, error) {
	if sig == "" {
		sig = "s"
	}
	if sig != "s" && sig != "o" && sig != "g" {
		return Variant{}, fmt.Errorf("a string stands where a value of type %s has to", sig)
	}
	quote, rest := p.rest[0], p.rest[1:]
	var b strings.Builder
	for rest != "" && rest[0] != quote {
		r, _, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			return Variant{}, fmt.Errorf("the string %q: %w", rest, err)
		}
		b.WriteRune(r)
		rest = tail
	}
	if rest == "" {
		return Variant{}, errors.New("a string has no end")
	}
	p.rest = rest[1:]
	return Variant{sig, b.String()}, nil
}
