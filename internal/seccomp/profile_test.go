package seccomp

import (
	"encoding/json"
	"os"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// profile reads a profile that an engine makes by default (README in testdata).
func profile(t testing.TB, name string) *specs.LinuxSeccomp {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	s := new(specs.LinuxSeccomp)
	if err := json.Unmarshal(b, s); err != nil {
		t.Fatal(err)
	}
	return s
}
