package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/seccomp"
)

// Set by the linker: see Makefile.
var (
	version = "unknown"
	commit  string
)

// runcVersion is the release of runc whose command line hull follows.
const runcVersion = "1.3.0"

// printVersion writes what engines parse: moby looks for a line with
// "version" in it and for `commit:`, and podman shows everything. go-runc
// wants a first line that begins with "runc version"; it is satisfied when
// hull stands in for runc under that name.
func printVersion(w io.Writer, argv0 string) {
	if filepath.Base(argv0) == "runc" {
		fmt.Fprintf(w, "runc version %s+hull.%s\n", runcVersion, version)
	} else {
		fmt.Fprintf(w, "hull version %s\n", version)
	}
	if commit != "" {
		fmt.Fprintf(w, "commit: %s\n", commit)
	}
	fmt.Fprintf(w, "spec: %s\n", specs.Version)
	fmt.Fprintf(w, "go: %s\n", runtime.Version())
	fmt.Fprintf(w, "libseccomp: %s\n", seccomp.Version())
}
