package seccomp

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go/features"
	libseccomp "github.com/seccomp/libseccomp-golang"
)

// Supported is linux.seccomp of features.md: the words Compile takes.
// SupportedFlags are asked of the kernel.
func Supported() *features.Seccomp {
	enabled := true
	f := &features.Seccomp{
		Enabled:    &enabled,
		Actions:    names(actions),
		Operators:  names(operators),
		Archs:      names(architectures),
		KnownFlags: names(flags),
	}
	for _, w := range flags {
		if probeFlag(w.value) == nil {
			f.SupportedFlags = append(f.SupportedFlags, string(w.name))
		}
	}
	return f
}

// Version is libseccomp's: "2.5.4".
func Version() string {
	major, minor, micro := libseccomp.GetLibraryVersion()
	return fmt.Sprintf("%d.%d.%d", major, minor, micro)
}
