package seccomp

import (
	"encoding/json"
	"testing"
)

func BenchmarkCompileDocker(b *testing.B) {
	s := profile(b, "docker-amd64.json")
	for b.Loop() {
		if _, err := Compile(s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompileDockerCached(b *testing.B) {
	s := profile(b, "docker-amd64.json")
	dir := b.TempDir() + "/cache"
	for b.Loop() {
		if _, err := Load(dir, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKey(b *testing.B) {
	s := profile(b, "docker-amd64.json")
	for b.Loop() {
		newKey(s)
	}
}

// For the comparison in appendProfile's comment.
func BenchmarkKeyAsJSON(b *testing.B) {
	s := profile(b, "docker-amd64.json")
	for b.Loop() {
		if _, err := json.Marshal(s); err != nil {
			b.Fatal(err)
		}
	}
}
