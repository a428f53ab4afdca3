// Package specconv is everything that can be decided from a configuration alone: it loads config.json,
// checks it as a whole, and lowers its words to the kernel's numbers. It makes no system
// call but those that read the files it is given.
//
// The functions that lower a part of the configuration are also those that check it, so that there is
// no second list of rules. Their errors are Problems with JSON paths relative to that part.
package specconv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/sys"
)

// maxSize bounds a document. Engines write some 30 KB; this bound only keeps accidents from filling memory.
const maxSize = 16 << 20

// Config is a config.json as read.
type Config struct {
	Spec   *specs.Spec
	Raw    []byte // the file
	Bundle string // absolute path of the bundle
	Path   string // the file's name

	others document // says which other platforms have a part
}

// document is a config.json without the contents of the parts for other platforms.
type document struct {
	*specs.Spec
	FreeBSD *struct{} `json:"freebsd"`
	Solaris *struct{} `json:"solaris"`
	VM      *struct{} `json:"vm"`
	Windows *struct{} `json:"windows"`
	ZOS     *struct{} `json:"zos"`
}

// Load reads the configuration of the bundle: its config.json, or the file path unless that is "".
// The content is not checked; see Config.Check.
func Load(bundle, path string) (*Config, error) {
	bundle, err := filepath.Abs(bundle)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if path == "" {
		path = filepath.Join(bundle, "config.json")
	}
	raw, err := readFile(path)
	if err != nil {
		return nil, err
	}
	var doc document
	if err := decode(path, raw, &doc); err != nil {
		return nil, err
	}
	if doc.Spec == nil { // there was nothing for it
		doc.Spec = new(specs.Spec)
	}
	return &Config{Spec: doc.Spec, Raw: raw, Bundle: bundle, Path: path, others: doc}, nil
}

// LoadProcess reads a process object, as for `exec --process`, and checks what can be
// checked without knowing its container. CheckProcess does the rest.
func LoadProcess(path string) (*specs.Process, error) {
	raw, err := readFile(path)
	if err != nil {
		return nil, err
	}
	p := new(specs.Process)
	if err := decode(path, raw, p); err != nil {
		return nil, err
	}
	k := newChecker()
	k.process(p)
	k.noNUL(raw, p)
	return p, k.locate(path, raw)
}

// LoadResources reads and checks a resources object, as for `update --resources`. Messages call
// the document name.
func LoadResources(r io.Reader, name string) (*specs.LinuxResources, error) {
	raw, err := readAll(r, name, 0)
	if err != nil {
		return nil, err
	}
	res := new(specs.LinuxResources)
	if err := decode(name, raw, res); err != nil {
		return nil, err
	}
	k := newChecker()
	k.resources(res)
	k.noNUL(raw, res)
	return res, k.locate(name, raw)
}

// readFile reads a regular file. O_NONBLOCK keeps the open from waiting for the writer of a FIFO.
func readFile(path string) ([]byte, error) {
	f, err := sys.Open(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: not a regular file", path)
	}
	return readAll(f, path, info.Size())
}

func readAll(r io.Reader, name string, size int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(size, maxSize)) + bytes.MinRead)
	_, err := b.ReadFrom(io.LimitReader(r, maxSize+1))
	raw := b.Bytes()
	switch {
	case err != nil && errors.As(err, new(*os.PathError)):
		return nil, err // names the file already
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(raw) > maxSize:
		return nil, fmt.Errorf("%s: larger than %d MiB", name, maxSize>>20)
	}
	return raw, nil
}
