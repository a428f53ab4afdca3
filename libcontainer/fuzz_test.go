package libcontainer

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Whatever is in the container's passwd, a home is an absolute path that fits into
// the environment, and the same as in the line that it came from.
func FuzzPasswd(f *testing.F) {
	for _, text := range []string{
		"", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:\n", "a:b:1000", ":::::", "x:x:1000:1:g:home:", "x:x:1000:1:g:/a\x00b:",
		"x:x:-1:1:g:/h:\n", "x:x:99999999999999999999:1:g:/h:\n", "# x\n\n+::::::\n", "a:b:1000:1000:c:/first:\nb:b:1000:1000:c:/second:",
	} {
		f.Add(text, uint32(1000))
	}
	name := filepath.Join(f.TempDir(), "passwd")
	f.Fuzz(func(t *testing.T, text string, uid uint32) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		file := os.NewFile(uintptr(fd), name)
		defer file.Close()
		home, err := homeOf(file, int(uid))
		if err != nil || !strings.HasPrefix(home, "/") || strings.ContainsAny(home, "\x00\n") || len(home) > 4000 {
			t.Fatalf("%q: %q, %v", text, home, err)
		}
		if home != "/" && !strings.Contains(text, ":"+home) {
			t.Errorf("%q: %q is not in it", text, home)
		}
	})
}

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
