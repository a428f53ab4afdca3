package tests

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas is the directory of the specification's JSON schemas, in the version that hull is built with.
// HULL_SCHEMAS names it on machines without Go.
var schemas = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("HULL_SCHEMAS"); dir != "" {
		return dir, nil
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	return filepath.Join(strings.TrimSpace(string(dir)), "schema"), err
})

// loader loads the schemas, one of which has a reference that leads nowhere.
type loader struct{}

// Load reads the schema at url, a file.
func (loader) Load(url string) (any, error) {
	text, err := os.ReadFile(strings.TrimPrefix(url, "file://"))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(string(text), `"#definitions/`, `"#/definitions/`)))
}

// validate returns in what the JSON text is not as a schema describes it.
func validate(t testing.TB, schema, text string) error {
	t.Helper()
	dir, err := schemas()
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(loader{})
	compiler.DefaultDraft(jsonschema.Draft4) // the parts, which the whole refers to, do not say
	compiled, err := compiler.Compile(filepath.Join(dir, schema))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(value)
}

// conforms asserts that the JSON text is what a schema describes.
func (b *box) conforms(schema, text string) {
	b.t.Helper()
	if err := validate(b.t, schema, text); err != nil {
		b.t.Errorf("%s: %v\n%s", schema, err, text)
	}
}

func TestFeaturesConformToTheSchema(t *testing.T) {
	b := newBox(t)
	text := b.must("features").stdout
	b.conforms("features-schema.json", text)

	var f struct {
		OCIVersionMin, OCIVersionMax string
		Hooks, MountOptions          []string
		Linux                        map[string]json.RawMessage
	}
	b.check(json.Unmarshal([]byte(text), &f))
	if f.OCIVersionMin != "1.0.0" || f.OCIVersionMax != specs.Version || len(f.Hooks) != 6 || len(f.MountOptions) < 30 {
		t.Errorf("versions %s to %s, hooks %v, %d options", f.OCIVersionMin, f.OCIVersionMax, f.Hooks, len(f.MountOptions))
	}
	for _, name := range []string{
		"namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "intelRdt", "memoryPolicy", "mountExtensions", "netDevices",
	} {
		if len(f.Linux[name]) == 0 {
			t.Errorf("linux.%s is missing", name)
		}
	}
}

// features.md: a runtime must accept both.
func TestVersionsOfFeaturesAreAccepted(t *testing.T) {
	for _, version := range []string{"1.0.0", specs.Version} {
		newBox(t, func(s *specs.Spec) { s.Version = version }, runProbe("say", "ran")).mustRun()
	}
}

func TestExampleConfigurationsConformToTheSchema(t *testing.T) {
	for _, flags := range [][]string{nil, {"--rootless"}} {
		b := newBox(t)
		dir := b.path("example")
		b.check(os.Mkdir(dir, 0o755))
		b.must(append([]string{"spec", "--bundle", dir}, flags...)...)
		b.conforms("config-schema.json", b.read(filepath.Join(dir, "config.json")))
	}
}

func TestStateConformsToTheSchema(t *testing.T) {
	b := newBox(t, runProbe("pause"), func(s *specs.Spec) { s.Annotations = map[string]string{"org.example.key": "value"} })
	b.create()
	b.conforms("state-schema.json", b.must("state", b.id).stdout)
	b.must("start", b.id)
	b.conforms("state-schema.json", b.must("state", b.id).stdout)
	b.must("kill", b.id, "KILL")
	b.waitStopped()
	b.conforms("state-schema.json", b.must("state", b.id).stdout)
}

// A schema that accepts everything would prove nothing.
func TestSchemasRefuseWhatIsWrong(t *testing.T) {
	for schema, text := range map[string]string{
		"features-schema.json": `{"ociVersionMin": "1.0.0", "ociVersionMax": "1.0.0", "linux": {"namespaces": ["nope"]}}`,
		"config-schema.json":   `{"ociVersion": "1.0.0", "process": {"cwd": 1}}`,
		"state-schema.json":    `{"ociVersion": "1.0.0", "id": "a", "status": "running"}`,
	} {
		if validate(t, schema, text) == nil {
			t.Errorf("%s accepts %s", schema, text)
		}
	}
}
