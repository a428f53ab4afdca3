package specconv

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadsTheConfigurationOfABundle(t *testing.T) {
	path := write(t, base)
	t.Chdir(filepath.Dir(filepath.Dir(path)))
	c, err := Load(filepath.Base(filepath.Dir(path)), "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Bundle != filepath.Dir(path) || c.Path != path || string(c.Raw) != base || c.Spec.Process.Cwd != "/" {
		t.Errorf("got %+v", c)
	}
	if err := c.Check(Host{}); err != nil {
		t.Error(err)
	}
}

func TestLoadsAnotherFileForABundle(t *testing.T) {
	path := write(t, base)
	c, err := Load("/some/bundle", path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Bundle != "/some/bundle" || c.Path != path {
		t.Errorf("got %+v", c)
	}
}

func TestRefusesWhatIsNoRegularFileOfReasonableSize(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "large")
	if err := errors.Join(os.WriteFile(large, nil, 0o600), os.Truncate(large, maxSize+1)); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	for path, want := range map[string]string{
		fifo:        "open " + fifo + ": not a regular file",
		dir:         "open " + dir + ": not a regular file",
		"/dev/null": "open /dev/null: not a regular file",
		large:       large + ": larger than 16 MiB",
		missing:     "open " + missing + ": no such file or directory",
	} {
		if _, err := Load(dir, path); err == nil || err.Error() != want {
			t.Errorf("Load: got %v, want %s", err, want)
		}
		if _, err := LoadProcess(path); err == nil || err.Error() != want {
			t.Errorf("LoadProcess: got %v, want %s", err, want)
		}
	}
	if _, err := Load(dir, missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not ErrNotExist", err)
	}
}

func TestSaysWhereADocumentIsBroken(t *testing.T) {
	for _, c := range []struct{ document, want string }{
		{"", "f:1:1: the JSON ends here, too early: is the file cut off?"},
		{"{\n\t\"process\": {\n\t\t\"args\": [\"a\", \"b", "f:3:19: process.args[1]: the JSON ends here, too early: is the file cut off?"},
		{"{\"process\": {\"cwd\"", "f:1:19: process.cwd: the JSON ends here, too early: is the file cut off?"},
		{"{\"process\": {\"cw", "f:1:17: process: the JSON ends here, too early: is the file cut off?"},
		{"{\n \"mounts\": [\n  {\"type\": \"a\"},\n  {\"type\": b}\n ]}", "f:4:12: mounts[1].type: this is not JSON: invalid character 'b' looking for beginning of value"},
		{"{\"root\": {\"path\": \"a\",}}", "f:1:23: root: this is not JSON: invalid character '}' looking for beginning of object key string"},
		{"{\"linux\": {}} x", "f:1:15: this is not JSON: invalid character 'x' after top-level value"},
		{"{\"a\": 01}", "f:1:8: a: this is not JSON: invalid character '1' after object key:value pair"},
		{"{\"hostname\": \"a\xffb\"}", "f:1:16: hostname: this is not JSON: the byte is not part of UTF-8 text"},
		{"null", "f:1:1: must be an object"},
		{"\n []", "f:2:2: must be an object"},
		{"\"x\"", "f:1:1: must be an object"},
		{"{\"ociVersion\": 1}", "f:1:16: ociVersion (1): must be a string"},
		{"{\"process\": {\"user\": {\"uid\": \"root\"}}}", `f:1:30: process.user.uid ("root"): must be an integer from 0 to 4294967295`},
		{"{\"process\": {\"user\": {\"uid\": -1}}}", "f:1:30: process.user.uid (-1): must be an integer from 0 to 4294967295"},
		{"{\"process\": {\"oomScoreAdj\": 1.5}}", "f:1:29: process.oomScoreAdj (1.5): must be an integer from -9223372036854775808 to 9223372036854775807"},
		{"{\"mounts\": [{}, {\"options\": [\"a\", {\"b\": 1}]}]}", `f:1:35: mounts[1].options[1] ({"b": 1}): must be a string`},
		{"{\"mounts\": {\"a\": 1}}", `f:1:12: mounts ({"a": 1}): must be an array`},
		{"{\"linux\": {\"sysctl\": {\"net.a\": 1}}}", `f:1:32: linux.sysctl["net.a"] (1): must be a string`},
		{"{\"mounts\": \"" + strings.Repeat("x", 100) + "\"}", `f:1:12: mounts ("` + strings.Repeat("x", 79) + `…): must be an array`},
		{"{\"linux\": []}", "f:1:11: linux ([]): must be an object"},
		{"{\"windows\": 1}", "f:1:13: windows (1): must be an object"},
		{"{\"root\": {\"readonly\": \"yes\"}}", `f:1:23: root.readonly ("yes"): must be true or false`},
		{
			"{\"root\": {\"path\": 1, \"readonly\": 0},\n\"process\": {\"args\": \"sh\",\"cwd\": 1},\n \"hostname\": false}",
			"f:1:19: root.path (1): must be a string\nf:1:34: root.readonly (0): must be true or false\n" +
				"f:2:21: process.args (\"sh\"): must be an array\nf:2:33: process.cwd (1): must be a string\n" +
				"f:3:14: hostname (false): must be a string",
		},
	} {
		err := decode("f", []byte(c.document), new(document))
		if err == nil || err.Error() != c.want {
			t.Errorf("%q\n got %v\nwant %s", c.document, err, c.want)
		}
	}
}

func TestTakesTheLastOfEqualKeys(t *testing.T) {
	c, err := parse([]byte("{\"hostname\": \"a\",\n\"hostname\": \"b\"}"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Spec.Hostname != "b" {
		t.Errorf("got %q", c.Spec.Hostname)
	}
	if err := c.Check(Host{}); !strings.Contains(err.Error(), "config.json:2:13: hostname (\"b\"): ") {
		t.Errorf("got %v", err)
	}
}

func TestSaysWhereAProblemIs(t *testing.T) {
	for _, c := range []struct{ document, want string }{
		{"{\n  \"ociVersion\": \"1.0.0\",\n  \"root\": {},\n  \"process\": {\"cwd\": \"/\", \"args\": [\"a\"]}}", "3:11: root.path: "},
		{"{\n  \"ociVersion\": \"1.0.0\",\n  \"process\": {\"cwd\": \"/\", \"args\": [\"a\"]}}", "1:1: root: "},
		{"{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"r\"},\n\"PROCESS\": {\"Cwd\":\t\"x\", \"args\": [\"a\"]}}", "2:20: process.cwd (\"x\"): "},
		{
			"{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"r\"}, \"process\": {\"cwd\": \"/\", \"args\": [\"a\"]},\n" +
				"\"linux\": {\"sysctl\":\n\n {\"a\\u002eb]\\\"[\": \"1\"}}}", `4:3: linux.sysctl["a.b]\"["] ("1"): `,
		},
		{
			"{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"r\"}, \"process\": {\"cwd\": \"/\", \"args\": [\"a\"],\n" +
				"\"env\": [\"A=é\",\n\"é\", \"B=\"]}}", `3:1: process.env[1] ("é"): `,
		},
	} {
		config, err := parse([]byte(c.document))
		if err != nil {
			t.Fatal(err)
		}
		if err := config.Check(Host{}); err == nil || !strings.HasPrefix(err.Error(), "config.json:"+c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.document, err, c.want)
		}
	}
}

func TestLoadsAProcess(t *testing.T) {
	p, err := LoadProcess(write(t, `{"cwd": "/", "args": ["sh"], "user": {"uid": 5, "gid": 6}}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.User.UID != 5 || p.Args[0] != "sh" {
		t.Errorf("got %+v", p)
	}
	path := write(t, "{\"cwd\": \"x\",\n \"args\": [\"a\\u0000\"]}")
	_, err = LoadProcess(path)
	want := path + ":1:9: cwd (\"x\"): must be an absolute path\n" + path + ":2:11: args[0] (\"a\\x00\"): contains a NUL byte"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRefusesTooManyResources(t *testing.T) {
	_, err := LoadResources(bytes.NewReader(make([]byte, maxSize+1)), "standard input")
	if want := "standard input: larger than 16 MiB"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := LoadResources(strings.NewReader("null"), "standard input"); err == nil {
		t.Error("null is accepted")
	}
}

func TestAcceptsTheConfigurationThatDockerWrites(t *testing.T) {
	c, err := Load("testdata", "testdata/docker.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(Host{}); err != nil {
		t.Error(err)
	}
	if w := c.Warnings(^uint64(0)); len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
}

func BenchmarkLoadDocker(b *testing.B) {
	for b.Loop() {
		if _, err := Load("testdata", "testdata/docker.json"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckDocker(b *testing.B) {
	c, err := Load("testdata", "testdata/docker.json")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Check(Host{}); err != nil {
			b.Fatal(err)
		}
	}
}
