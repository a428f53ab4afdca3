package specconv

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// The numbers are those of linux/personality.h.
var personalities = [...]word{
	{string(specs.PerLinux), 0x0000},
	{string(specs.PerLinux32), 0x0008},
}

// PersonalityNames lists the words for linux.personality.domain.
func PersonalityNames() []string { return names(personalities[:]) }

// Personality is the argument for personality(2).
func Personality(domain specs.LinuxPersonalityDomain, flags []specs.LinuxPersonalityFlag) (uint32, error) {
	k := newChecker()
	persona := k.personality(domain, flags)
	return persona, k.err()
}

// personality is config-linux.md, Personality, where "currently no flag values are supported".
func (k checker) personality(domain specs.LinuxPersonalityDomain, flags []specs.LinuxPersonalityFlag) uint32 {
	persona, ok := number(personalities[:], string(domain))
	if !ok {
		k.bad("domain", domain, "is not an execution domain").oneOf(PersonalityNames())
	}
	for i, flag := range flags {
		k.bad(fmt.Sprintf("flags[%d]", i), flag, "is not a flag that the spec knows; it knows none")
	}
	return uint32(persona) //nolint:gosec // a small number
}
