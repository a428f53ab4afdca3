package plainjson

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// odd has what specs.Spec has not.
type odd struct {
	*specs.Spec
	Hidden  *struct{} `json:"windows"`
	Time    time.Time
	Any     any             `json:"any"`
	Raw     json.RawMessage `json:"raw"`
	Bytes   []byte          `json:"bytes"`
	Float   float64         `json:"float"`
	Numbers map[int]string  `json:"numbers"`
	Small   int8            `json:"small"`
	Deep    map[string]map[string][]*specs.Mount
	Not     string `json:"-"`
}

// same says whether Decode, if it decides, does what encoding/json does.
func same[T any](t *testing.T, raw []byte) {
	t.Helper()
	got, want := new(T), new(T)
	decided := Decode(raw, got)
	err := json.Unmarshal(raw, want)
	if decided && err != nil {
		t.Errorf("%q: accepted, but: %v", raw, err)
	}
	if decided && !reflect.DeepEqual(got, want) {
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		t.Errorf("%q: is %s, want %s", raw, g, w)
	}
}

var seeds = []string{
	`{}`, ` { } `, `null`, `[]`, `1`, ``, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"ociVersion":"1.0.2"}`, `{"OCIVERSION":"x"}`,
	`{"ociVersion":"1","ociVersion":"2"}`, `{"ociVersion":null,"process":null}`, `{"ociVersion":"é\n\u00e9\ud83d\ude00"}`,
	`{"process":{"args":["a","b"],"user":{"uid":0,"gid":4294967295}}}`, `{"process":{"user":{"uid":4294967296}}}`,
	`{"process":{"user":{"uid":-1}}}`, `{"process":{"user":{"uid":1.0}}}`, `{"process":{"user":{"uid":1e2}}}`, `{"process":{"user":{"uid":01}}}`,
	`{"annotations":{"a":"b","a":"c"}}`, `{"annotations":{"a":null}}`, `{"annotations":{}}`, `{"mounts":[]}`, `{"mounts":[null,{"options":null}]}`,
	`{"linux":{"resources":{"pids":{"limit":-9223372036854775808},"memory":{"limit":9223372036854775808}}}}`,
	`{"windows":{"x":1},"Windows":3}`, `{"Time":"2026-01-02T03:04:05Z","any":[1,{"a":null}],"raw": {"x" : 1} ,"bytes":"AAEC"}`,
	`{"float":1.5,"numbers":{"1":"x"},"small":-128}`, `{"small":128}`, `{"Deep":{"a":{"b":[{"type":"c"}]}}}`, `{"Not":"x","-":"y"}`,
	`{"unknown":{"a":[1,-0,1e5,0.5,"\"",true,false,null]}}`, `{"unknown":1e}`, `{"unknown":"\x"}`, "{\"unknown\":\"\x01\"}", "{\"unknown\":\"\xff\"}", "{}\x00",
	`{"process":{"rlimits":[{"type":"RLIMIT_NOFILE","hard":1024}]}} x`, `{"hooks":{"prestart":[{"timeout":1}]}}`, `{"\u0068ooks":{}}`,
}

func TestDecidesAsTheLibraryDoes(t *testing.T) {
	for _, s := range seeds {
		same[odd](t, []byte(s))
		same[specs.Spec](t, []byte(s))
	}
}

func TestDecidesWhatEnginesWrite(t *testing.T) {
	files, err := filepath.Glob("../../tests/testdata/engines/*/config.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !Decode(raw, new(specs.Spec)) {
			t.Errorf("%s: left to encoding/json", name)
		}
		same[specs.Spec](t, raw)
	}
}

func TestUnmarshalLeavesTheRestToTheLibrary(t *testing.T) {
	s := specs.Spec{}
	if err := Unmarshal([]byte(`{"hostname":"a","HOSTNAME":"b"}`), &s); err != nil || s.Hostname != "b" {
		t.Errorf("%q, %v", s.Hostname, err)
	}
	if err := Unmarshal([]byte(`{"hostname":1}`), &s); err == nil {
		t.Error("a number is taken for a name")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	files, _ := filepath.Glob("../../tests/testdata/engines/*/config.json")
	for _, name := range files {
		if raw, err := os.ReadFile(name); err == nil {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		same[specs.Spec](t, raw)
		same[odd](t, raw)
	})
}
