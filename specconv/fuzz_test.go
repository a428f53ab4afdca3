package specconv

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// The mask of a list has exactly the bits of its numbers.
func FuzzCPUList(f *testing.F) {
	for _, list := range []string{"0-3,7", "8191", "", "1-", " 1 ,, 2", "3-1"} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		mask, err := CPUList(list)
		if err != nil {
			return
		}
		if len(mask)%8 != 0 || len(mask) > maxCPUs/8 {
			t.Fatalf("%q: %d bytes", list, len(mask))
		}
		words, err := NodeList(list)
		if err != nil {
			return // there are fewer nodes than CPUs
		}
		count := 0
		for i, word := range words {
			count += bits.OnesCount64(word)
			if binary.LittleEndian.Uint64(mask[8*i:]) != word {
				t.Errorf("%q: the masks of CPUs and nodes differ", list)
			}
		}
		if count == 0 {
			t.Errorf("%q: empty", list)
		}
	})
}

// A mapping that is accepted maps every id of the container to one of the host, and no two to the same.
func FuzzIDMap(f *testing.F) {
	f.Add(uint32(0), uint32(1000), uint32(1), uint32(1), uint32(100000), uint32(65536))
	f.Add(uint32(0), uint32(4294967290), uint32(6), uint32(5), uint32(1), uint32(4294967295))
	f.Fuzz(func(t *testing.T, c1, h1, s1, c2, h2, s2 uint32) {
		mapping := []specs.LinuxIDMapping{{ContainerID: c1, HostID: h1, Size: s1}, {ContainerID: c2, HostID: h2, Size: s2}}
		k := newChecker()
		k.idMap("", mapping)
		if k.err() != nil {
			return
		}
		seen := map[uint32]uint32{}
		for _, id := range []uint32{c1, c1 + s1 - 1, c2, c2 + s2 - 1} {
			host, ok := HostID(id, mapping)
			if other, taken := seen[host]; !ok || id == noID || host == noID || taken && other != id {
				t.Errorf("%v: %d is %d, %t", mapping, id, host, ok)
			}
			seen[host] = id
		}
	})
}

// replace is the document of everything.json with another text for its value number n.
func replace(t testing.TB, n int, text string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/everything.json")
	if err != nil {
		t.Fatal(err)
	}
	var places []int
	walk(raw, func(_ []byte, m mark) { places = append(places, m.value) })
	start := places[n%len(places)]
	w := walker{raw: raw, off: start, visit: func([]byte, mark) {}}
	w.value(start)
	return slices.Concat(raw[:start], []byte(text), raw[w.off:])
}

// examine loads and checks a document, and what is said about it.
func examine(t *testing.T, raw []byte) {
	t.Helper()
	c, err := parse(raw)
	if err == nil {
		err = c.Check(Host{Rootless: true, Systemd: true})
		c.Warnings(^uint64(0))
	}
	problems, _ := err.(Problems)
	for _, p := range problems {
		if p.File == "" || p.Line < 1 || p.Line > bytes.Count(raw, []byte("\n"))+1 || p.Column < 1 || p.Fact == "" {
			t.Errorf("%+v", p)
		}
	}
}

// Neither Load nor Check panics, whatever stands in the place of a value, and what they say has a place in it.
func FuzzConfig(f *testing.F) {
	for n, text := range []string{`"x"`, "-1", "null", "[{}]", `{"a.b": "\u0000"}`, `"\ud800"`, "1e400", "[", `"a", "A": 1`} {
		f.Add(uint(n), text)
	}
	f.Fuzz(func(t *testing.T, n uint, text string) { examine(t, replace(t, int(n%(1<<31)), text)) })
}

// The same for every value and some texts, without chance.
func TestSurvivesOtherTypesInEveryPlace(t *testing.T) {
	for n := range 400 {
		for _, text := range []string{"null", "true", "-1", "4294967295", "1e400", `""`, `"\u0000"`, `"\n"`, "[]", "[null]", `{"": null}`, "}"} {
			examine(t, replace(t, n, text))
		}
	}
}

// The walker finds each value whole, and each path leads back to the document.
func FuzzPositions(f *testing.F) {
	f.Add(`{"process": {"env": ["a", "b"]}, "x y": {"": 1}}`)
	f.Fuzz(func(t *testing.T, document string) {
		var whole any
		if decode("f", []byte(document), &whole) != nil {
			return
		}
		walk([]byte(document), func(path []byte, m mark) {
			for at := string(path); at != ""; at = parent(at) {
				if len(parent(at)) >= len(at) {
					t.Fatalf("the parent of %q is %q", at, parent(at))
				}
			}
			var part any
			w := walker{raw: []byte(document), off: m.value, visit: func([]byte, mark) {}}
			w.value(m.value)
			if err := json.Unmarshal([]byte(document[m.value:w.off]), &part); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if len(path) == 0 && !reflect.DeepEqual(part, whole) {
				t.Errorf("got %v, want %v", part, whole)
			}
		})
	})
}

// Whatever the spelling, a key that is accepted is a path below /proc/sys, and stays the
// same path when that is taken as the key.
func FuzzSysctl(f *testing.F) {
	for _, key := range []string{"net.ipv4.ip_forward", "net.ipv4.conf.eth0/1.x", "net.//.//.//kernel.core_pattern", "a/../b", "..", "/"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		file, err := Sysctl(key)
		if err != nil {
			return
		}
		for part := range strings.SplitSeq(file, "/") {
			if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\x00\n ") {
				t.Errorf("%q: got %q", key, file)
			}
		}
		if again, err := Sysctl(file); strings.Contains(file, "/") && !strings.Contains(strings.SplitN(file, "/", 2)[0], ".") && (err != nil || again != file) {
			t.Errorf("%q: got %q, and from that %q, %v", key, file, again, err)
		}
	})
}
