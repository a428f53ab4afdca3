package libcontainer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/internal/rdt"
)

// torn is a state root with one container, whose record has every field.
func torn(t *testing.T) (root *Root, text []byte) {
	t.Helper()
	root = &Root{Dir: t.TempDir()}
	c := &Container{ID: "c", root: root}
	if err := os.Mkdir(c.dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	boot, err := bootID()
	if err != nil {
		t.Fatal(err)
	}
	self, err := current(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	bus := int64(10)
	c.rec = &record{
		ID: "c", Bundle: "/bundle", Rootfs: "/bundle/rootfs", Created: time.Unix(1, 2).UTC(), UID: 0, BootID: boot, Creator: self, Init: self,
		Cgroup: cgroupRecord{Paths: map[string]string{"": "/sys/fs/cgroup/none", "freezer": "/sys/fs/cgroup/freezer/none"}, Systemd: true},
		RDT:    &rdt.Group{}, Rootless: true, Notes: map[string]string{"org.example": "note"},
		Devices: []specs.LinuxDeviceCgroup{{Allow: true, Type: "c", Major: &bus, Minor: &bus, Access: "rwm"}},
		Release: json.RawMessage(`[{"op":7,"field":"process.args","target":"x","fact":"exec","facts":{"2":"no such file"}}]`), PlainStart: true, PlainStop: true,
	}
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.path(configFile), []byte(`{"ociVersion":"1.0.2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(c.path(recordFile)); err != nil {
		t.Fatal(err)
	}
	return root, text
}

// look is what list and state do: neither may crash, and what is damaged has no state.
func look(t *testing.T, root *Root, what string) error {
	t.Helper()
	list, err := root.List()
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: list has %d containers: %v", what, len(list), err)
	}
	c := list[0]
	s, err := c.State()
	if err == nil && (c.torn != nil || s.ID != "c" || s.Status == "") {
		t.Errorf("%s: the state is %+v, the damage %v", what, s, c.torn)
	}
	_, _ = c.Pids() // as ps does
	_, _ = c.spec()
	_, _ = c.releases()
	c.Annotations()
	return err
}

func write(t *testing.T, root *Root, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root.Dir, "c", file), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRecordThatEndsAtAnyByteIsDamaged(t *testing.T) {
	root, text := torn(t)
	if err := look(t, root, "whole"); err != nil {
		t.Fatal(err)
	}
	for n := range text {
		write(t, root, recordFile, text[:n])
		if err := look(t, root, fmt.Sprintf("%d bytes", n)); err == nil {
			t.Errorf("the first %d bytes are believed", n)
		}
	}
}

func TestRecordWithAnyByteChangedIsShownOrDamaged(t *testing.T) {
	root, text := torn(t)
	for n := range text {
		for _, b := range []byte{'"', '9'} {
			changed := append([]byte{}, text...)
			changed[n] = b
			write(t, root, recordFile, changed)
			_ = look(t, root, string(changed))
		}
	}
}

func TestRecordWithAnyFieldOfAnotherKindIsShownOrDamaged(t *testing.T) {
	root, text := torn(t)
	var whole any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	seen := 0
	try := func() {
		changed, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		write(t, root, recordFile, changed)
		_ = look(t, root, string(changed))
		seen++
	}
	values := []any{nil, true, -1, 0, 1 << 62, 1e300, "", "../../..", "/", []any{}, []any{nil}, map[string]any{}, map[string]any{"": nil}}
	var each func(at any)
	each = func(at any) {
		switch at := at.(type) {
		case map[string]any:
			for key, was := range at {
				delete(at, key)
				try()
				for _, v := range values {
					at[key] = v
					try()
				}
				at[key] = was
				each(was)
			}
		case []any:
			for i, was := range at {
				for _, v := range values {
					at[i] = v
					try()
				}
				at[i] = was
				each(was)
			}
		}
	}
	each(whole)
	if seen < 500 {
		t.Errorf("only %d records were tried", seen)
	}
}

// A killed command leaves any of a container's files without the others, or empty.
func TestAnyFilesOfAContainerAreShownOrDamaged(t *testing.T) {
	root, text := torn(t)
	files := []string{recordFile, configFile, socketFile, "." + recordFile + ".new"}
	const absent, empty, other = 0, 1, 2
	for n := range 81 { // 3^4
		what := fmt.Sprint(n, ":")
		for i, kind := 0, n; i < len(files); i, kind = i+1, kind/3 {
			path := filepath.Join(root.Dir, "c", files[i])
			_ = os.Remove(path)
			switch kind % 3 {
			case absent:
				continue
			case empty:
				write(t, root, files[i], nil)
			case other:
				write(t, root, files[i], text)
			}
			what += fmt.Sprintf(" %s of kind %d", files[i], kind%3)
		}
		_ = look(t, root, what)
	}
}
