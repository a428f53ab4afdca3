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
		if reachesOut(name) {
			return nil, fmt.Errorf("annotations (%s): acts on other units, other processes or the machine, and is not for a container to have", key)
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

// reachesOut says whether a property of a scope concerns more than the scope.
// Annotations may come from whoever asks an engine for a container: with
// SuccessAction he would have stopped the machine (CVE-2024-3154). systemd.unit(5),
// org.freedesktop.systemd1(5)
func reachesOut(name string) bool {
	for _, part := range []string{"Action", "Exec", "Reboot", "Requires", "Propagate"} { // of SuccessAction, ExecStart, RequiresMountsFor, …
		if strings.Contains(name, part) {
			return true
		}
	}
	return slices.Contains([]string{
		"OnFailure", "OnSuccess", "OnFailureOf", "OnSuccessOf", "OnFailureJobMode", "OnSuccessJobMode",
		"Requisite", "RequisiteOf", "RequiredBy", "Wants", "WantedBy", "BindsTo", "BoundBy", "PartOf", "ConsistsOf", "Upholds", "UpheldBy",
		"Conflicts", "ConflictedBy", "StopPropagatedFrom", "ReloadPropagatedFrom", "JoinsNamespaceOf", "WantsMountsFor", "Triggers", "TriggeredBy",
		"PIDs", "PIDFDs", "Slice", "Controller", "User", "Group", // who is in it, where it is, who may stop it
	}, name)
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
