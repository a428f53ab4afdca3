package dbus

import (
	"fmt"
	"strconv"
	"strings"
)

// scalar reads a number or truth value of type sig, or of the type that it
// looks like: int32 or double.
func scalar(sig, word string) (Variant, error) {
	if word == "true" || word == "false" {
		return typed(sig, "b", word == "true", nil)
	}
	if sig == "" {
		sig = "i"
		if strings.ContainsAny(word, ".eE") && !strings.HasPrefix(word, "0x") {
			sig = "d"
		}
	}
	value, err := numeral(sig[0], word)
	if err != nil || len(sig) != 1 {
		return Variant{}, fmt.Errorf("%q is no value of type %s", word, sig)
	}
	return Variant{sig, value}, nil
}

func numeral(kind byte, word string) (any, error) {
	bits := 8 * size(kind)
	switch kind {
	case 'd':
		return strconv.ParseFloat(word, 64)
	case 'y', 'q', 'u', 't':
		n, err := strconv.ParseUint(word, 0, bits)
		switch kind {
		case 'y':
			return byte(n), err //nolint:gosec // parsed to these bits
		case 'q':
			return uint16(n), err //nolint:gosec // parsed to these bits
		case 'u':
			return uint32(n), err //nolint:gosec // parsed to these bits
		}
		return n, err
	case 'n', 'i', 'x':
		n, err := strconv.ParseInt(word, 0, bits)
		switch kind {
		case 'n':
			return int16(n), err //nolint:gosec // parsed to these bits
		case 'i':
			return int32(n), err //nolint:gosec // parsed to these bits
		}
		return n, err
	}
	return nil, strconv.ErrSyntax
}
