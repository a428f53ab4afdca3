package specconv

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// base is a configuration without problems.
const base = `{
	"ociVersion": "1.3.0",
	"root": {"path": "rootfs"},
	"process": {"cwd": "/", "args": ["sh"], "user": {"uid": 0, "gid": 0}},
	"linux": {"namespaces": [{"type": "mount"}]}
}`

// a broken case is a change of base, as a JSON merge patch (RFC 7396), and the messages about it, without positions.
type broken struct {
	patch string
	want  []string
}

func (b broken) run(t *testing.T, h Host) {
	t.Run(b.patch, func(t *testing.T) {
		got := messages(t, patched(t, base, b.patch).Check(h))
		if !slices.Equal(got, b.want) {
			t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(b.want, "\n\t"))
		}
	})
}

func runBroken(t *testing.T, h Host, cases []broken) {
	t.Helper()
	for _, b := range cases {
		b.run(t, h)
	}
}

// patched is the configuration that patch makes of document.
func patched(t *testing.T, document, patch string) *Config {
	t.Helper()
	value := func(text string) (v any) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber() // float64 has not all of uint64
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	raw, err := json.MarshalIndent(merge(value(document), value(patch)), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func merge(to, by any) any {
	changes, ok := by.(map[string]any)
	if !ok {
		return by
	}
	result, ok := to.(map[string]any)
	if !ok {
		result = map[string]any{}
	}
	for key, value := range changes {
		if value == nil {
			delete(result, key)
		} else {
			result[key] = merge(result[key], value)
		}
	}
	return result
}

// parse is Load without a file.
func parse(raw []byte) (*Config, error) {
	doc := document{Spec: new(specs.Spec)}
	err := decode("config.json", raw, &doc)
	return &Config{Spec: doc.Spec, Raw: raw, Path: "config.json", others: doc}, err
}

// messages are the problems of err without their positions.
func messages(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("not Problems: %v", err)
	}
	var texts []string
	for _, p := range problems {
		p.File = ""
		texts = append(texts, p.String())
	}
	return texts
}

func TestAcceptsTheBaseOfTheseTests(t *testing.T) {
	broken{`{}`, nil}.run(t, Host{})
}

func TestReportsTheTopLevel(t *testing.T) {
	const versions = "is not a version that hull knows, which are those from 1.0.0 to 1.3.0"
	runBroken(t, Host{}, []broken{
		{`{"ociVersion": null}`, []string{"ociVersion: is missing, and is REQUIRED by the spec; hull knows 1.3.0"}},
		{`{"ociVersion": "1.0"}`, []string{`ociVersion ("1.0"): is not a semantic version, as in 1.3.0`}},
		{`{"ociVersion": "2.0.0"}`, []string{`ociVersion ("2.0.0"): ` + versions}},
		{`{"ociVersion": "0.9.0"}`, []string{`ociVersion ("0.9.0"): ` + versions}},
		{`{"ociVersion": "1.0.2-dev"}`, nil},
		{`{"root": null}`, []string{"root: is missing, and is REQUIRED by the spec"}},
		{`{"root": {"path": null}}`, []string{"root.path: is missing or empty"}},
		{`{"root": {"path": ""}}`, []string{"root.path: is missing or empty"}},
		{`{"process": null}`, nil},
		{`{"hostname": "x"}`, []string{
			`hostname ("x"): would change the host, for the container has no UTS namespace; add {"type": "uts"} to linux.namespaces`,
		}},
		{`{"domainname": "x"}`, []string{
			`domainname ("x"): would change the host, for the container has no UTS namespace; add {"type": "uts"} to linux.namespaces`,
		}},
		{`{"hostname": "` + strings.Repeat("h", 65) + `", "linux": {"namespaces": [{"type": "uts"}]}}`, []string{
			`hostname ("` + strings.Repeat("h", 65) + `"): is longer than 64 bytes`,
		}},
		{`{"hostname": "` + strings.Repeat("h", 64) + `", "linux": {"namespaces": [{"type": "uts"}]}}`, nil},
		{`{"annotations": {"": "x", "a": ""}}`, []string{`annotations[""]: a key must not be empty`}},
		{`{"vm": {"kernel": {"path": "/k"}}}`, []string{"vm: virtual machines are not supported"}},
		{`{"windows": {}, "solaris": {}, "zos": {}, "freebsd": {}}`, nil},
		{`{"unknown": {"member": [1, 2]}, "process": {"unknown": true}}`, nil},
	})
}

func TestReportsEveryProblemAtOnce(t *testing.T) {
	broken{
		`{"ociVersion": "x", "root": null, "process": {"cwd": "tmp", "args": []}, "linux": {"namespaces": [{"type": "n"}]}}`,
		[]string{
			"root: is missing, and is REQUIRED by the spec", // the document itself is its place
			`linux.namespaces[0].type ("n"): is not a type of namespace; known values: mount, uts, ipc, pid, network, user, cgroup, time`,
			`ociVersion ("x"): is not a semantic version, as in 1.3.0`,
			"process.args: is missing or empty: there is nothing to execute",
			`process.cwd ("tmp"): must be an absolute path`,
		},
	}.run(t, Host{})
}

func TestReportsOneHundredProblemsAndCountsTheRest(t *testing.T) {
	groups := strings.Repeat("4294967295,", 200)
	c := patched(t, base, `{"process": {"user": {"additionalGids": [`+strings.TrimSuffix(groups, ",")+`]}}}`)
	got := messages(t, c.Check(Host{}))
	if len(got) != maxProblems+1 || got[maxProblems] != "and 100 more problems" {
		t.Errorf("got %d messages, the last one is %q", len(got), got[len(got)-1])
	}
}

func TestRefusesNULBytesWhereTheKernelWouldStop(t *testing.T) {
	runBroken(t, Host{CgroupV2: true}, []broken{
		{`{"process": {"args": ["sh", "-c", "a\u0000b"]}}`, []string{`process.args[2] ("a\x00b"): contains a NUL byte`}},
		{`{"process": {"env": ["A=\u0000"]}}`, []string{`process.env[0] ("A=\x00"): contains a NUL byte`}},
		{`{"root": {"path": "r\u0000"}}`, []string{`root.path ("r\x00"): contains a NUL byte`}},
		{`{"linux": {"cgroupsPath": "/a\u0000"}}`, []string{`linux.cgroupsPath ("/a\x00"): contains a NUL byte`}},
		{`{"linux": {"resources": {"unified": {"a\u0000b": "1"}}}}`, []string{
			`linux.resources.unified["a\x00b"]: the key contains a NUL byte`,
		}},
		{`{"mounts": [{"destination": "/a\u0000", "source": "/a", "options": ["bind", "ro\u0000"]}]}`, []string{
			`mounts[0].destination ("/a\x00"): contains a NUL byte`,
			`mounts[0].options[1] ("ro\x00"): contains a NUL byte`,
		}},
		{`{"annotations": {"a\u0000": "b\u0000"}}`, nil},
		{`{"unknown": "\u0000"}`, nil},
		{`{"process": {"args": ["a\\u0000b"]}}`, nil},
	})
}
