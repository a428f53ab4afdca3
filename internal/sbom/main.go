// Command sbom writes the bill of materials of a Go binary as SPDX 2.3 in JSON:
// what the binary itself says it was built from, and the C libraries that are
// linked into it, which it does not say.
//
//	go run ./internal/sbom -epoch SECONDS -library libseccomp=2.5.4 BINARY > BINARY.spdx.json
//
// The same binary and the same arguments give the same bytes.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// libraries are the arguments of -library, NAME=VERSION each.
type libraries []string

func (l *libraries) String() string { return strings.Join(*l, " ") }

func (l *libraries) Set(text string) error {
	if name, version, ok := strings.Cut(text, "="); !ok || name == "" || version == "" {
		return errors.New("want NAME=VERSION")
	}
	*l = append(*l, text)
	return nil
}

func main() {
	var linked libraries
	epoch := flag.Int64("epoch", 0, "when the source was committed, in seconds since 1970")
	version := flag.String("version", "", "the version of the binary")
	flag.Var(&linked, "library", "a C library in it, as NAME=VERSION; may be repeated")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(os.Stdout, flag.Arg(0), *version, time.Unix(*epoch, 0), linked); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

// write writes the bill of materials of the binary path.
func write(w io.Writer, path, version string, committed time.Time, linked libraries) error {
	binary, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(binary)
	doc := newDocument(filepath.Base(path), version, hex.EncodeToString(sum[:]), committed)
	doc.contains(pkg{Name: "stdlib", VersionInfo: strings.TrimPrefix(info.GoVersion, "go"), License: "BSD-3-Clause"}, "pkg:golang/stdlib@"+strings.TrimPrefix(info.GoVersion, "go"))
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		doc.contains(pkg{Name: m.Path, VersionInfo: m.Version, Comment: "go.sum " + m.Sum}, "pkg:golang/"+m.Path+"@"+m.Version)
	}
	for _, l := range linked {
		name, version, _ := strings.Cut(l, "=")
		doc.contains(pkg{Name: name, VersionInfo: version, Comment: "a C library, linked statically"}, "pkg:generic/"+name+"@"+version)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "\t")
	return e.Encode(doc)
}
