package specconv

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// member is the text of a part of everything.json.
func member(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/everything.json")
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	walk(raw, func(at []byte, m mark) {
		if string(at) == path {
			w := walker{raw: raw, off: m.value, visit: func([]byte, mark) {}}
			w.value(m.value)
			text = slices.Clone(raw[m.value:w.off])
		}
	})
	if text == nil {
		t.Fatalf("no %s", path)
	}
	return text
}

// spoil is a document with another text for its value number n.
func spoil(raw []byte, n uint, text string) []byte {
	var places []int
	walk(raw, func(_ []byte, m mark) { places = append(places, m.value) })
	start := places[n%uint(len(places))]
	w := walker{raw: raw, off: start, visit: func([]byte, mark) {}}
	w.value(start)
	return slices.Concat(raw[:start], []byte(text), raw[w.off:])
}

func addTexts(f *testing.F) {
	for n, text := range []string{`"x"`, "-1", "null", "[{}]", `{"a.b": "\u0000"}`, `"\ud800"`, "1e400", "[", `"a", "A": 1`} {
		f.Add(uint(3*n), text)
	}
}

// A process file that is accepted means the same when it is written down and read again.
func FuzzProcessFile(f *testing.F) {
	addTexts(f)
	whole, path := member(f, "process"), filepath.Join(f.TempDir(), "process.json")
	load := func(t *testing.T, raw []byte) (*specs.Process, error) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := LoadProcess(path)
		if err == nil {
			err = CheckProcess(p, &specs.Spec{Process: p}, Host{})
		}
		return p, err
	}
	if _, err := load(nil, whole); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, n uint, text string) {
		p, err := load(t, spoil(whole, n, text))
		if err != nil {
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := load(t, again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if twice, err := json.Marshal(q); err != nil || !bytes.Equal(again, twice) {
			t.Errorf("%s\nbecomes %s, %v", again, twice, err)
		}
	})
}

// The same for the resources that update reads.
func FuzzResourcesFile(f *testing.F) {
	addTexts(f)
	whole := member(f, "linux.resources")
	f.Fuzz(func(t *testing.T, n uint, text string) {
		r, err := LoadResources(bytes.NewReader(spoil(whole, n, text)), "f")
		if err != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		q, err := LoadResources(bytes.NewReader(again), "f")
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if twice, err := json.Marshal(q); err != nil || !bytes.Equal(again, twice) {
			t.Errorf("%s\nbecomes %s, %v", again, twice, err)
		}
	})
}
