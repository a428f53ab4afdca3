package cgroups

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hull/internal/dbus"
)

// PropertyAnnotation begins the annotations that are properties of the unit, as
// in runc and crun: org.systemd.property.TimeoutStopUSec is `uint64 5000000`.
const PropertyAnnotation = "org.systemd.property."

// annotated reads the properties that annotations ask for.
func annotated(annotations map[string]string) ([]property, error) {
	var list []property
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		name, ok := strings.CutPrefix(key, PropertyAnnotation)
		if !ok {
			continue
		}
		if len(name) < 3 || strings.TrimLeft(name, letters) != "" {
			return nil, fmt.Errorf("annotations (%s): the name of a property has at least three letters, and nothing else", key)
		}
		value, err := dbus.ParseVariant(annotations[key])
		if err != nil {
			return nil, fmt.Errorf("annotations (%s = %s): the value must be in GVariant's text format: %w", key, annotations[key], err)
		}
		// Unit files have settings in seconds where the properties count microseconds.
		if stem, ok := strings.CutSuffix(name, "Sec"); ok && !strings.HasSuffix(name, "USec") {
			if value, err = microseconds(value); err != nil {
				return nil, fmt.Errorf("annotations (%s = %s): %w", key, annotations[key], err)
			}
			name = stem + "USec"
		}
		list = append(list, property{name, value})
	}
	return list, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func microseconds(v dbus.Variant) (dbus.Variant, error) {
	const second = 1000000
	var n float64
	switch value := v.Value.(type) {
	case byte:
		n = float64(value)
	case int16:
		n = float64(value)
	case uint16:
		n = float64(value)
	case int32:
		n = float64(value)
	case uint32:
		n = float64(value)
	case int64:
		n = float64(value)
	case uint64:
		n = float64(value)
	case float64:
		n = value
	default:
		return v, fmt.Errorf("must be a number of seconds")
	}
	if !(n >= 0 && n < infinity/second) {
		return v, fmt.Errorf("must be a number of seconds from 0 to %d", uint64(infinity/second))
	}
	return dbus.Variant{Signature: "t", Value: uint64(n * second)}, nil
}
