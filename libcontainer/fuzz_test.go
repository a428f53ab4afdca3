package libcontainer

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Whatever is in state.json, a container is loaded, or it is said to be damaged;
// and a record that is believed is the same when it is saved and loaded again.
func FuzzRecord(f *testing.F) {
	for _, text := range []string{
		"", "{", "null", "[]", `{"id":"c"}`, `{"id":"d"}`, `{"id":"c","init":{"pid":-1,"startTime":1}}`,
		`{"id":"c","init":{"pid":1,"startTime":2},"cgroup":{"paths":{"":"/"}},"release":[{"op":1,"facts":{"2":"x"}}]}`,
		`{"id":"c","creator":{"pid":0},"bootId":"x","annotations":{"a":"b"},"rdt":{}}`,
	} {
		f.Add([]byte(text))
	}
	root := &Root{Dir: f.TempDir()}
	dir := filepath.Join(root.Dir, "c")
	if err := os.Mkdir(dir, 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, recordFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := root.Load("c")
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := c.State(); err == nil && c.torn != nil {
			t.Errorf("%q: a damaged record has a state", text)
		}
		if c.torn != nil || !json.Valid(text) {
			return
		}
		if c.rec.ID != c.ID {
			t.Errorf("%q: taken for the record of %s", text, c.ID)
		}
		if err := c.save(); err != nil {
			t.Fatal(err)
		}
		before, _ := json.Marshal(c.rec)
		again := &Container{root: root, ID: "c"}
		if err := again.load(); err != nil {
			t.Fatalf("%q: %v", before, err)
		}
		if after, _ := json.Marshal(again.rec); !bytes.Equal(before, after) {
			t.Errorf("%q: saved and loaded it is %q", before, after)
		}
	})
}
