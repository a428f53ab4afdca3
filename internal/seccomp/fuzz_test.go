package seccomp

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Whatever is in config.json, Compile returns, and what it returns runs to an
// end for every call.
func FuzzCompile(f *testing.F) {
	f.Add([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"], "syscalls": [
		{"names": ["socket", "ipc"], "action": "SCMP_ACT_NOTIFY", "args": [{"index": 5, "op": "SCMP_CMP_NE", "value": 1}]}]}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		s := new(specs.LinuxSeccomp)
		if json.Unmarshal(config, s) != nil {
			return
		}
		filter, err := Compile(s)
		if err != nil || filter == nil {
			return
		}
		code, r := decode(filter.Program), rand.New(rand.NewPCG(1, 1))
		for i := range ways {
			for _, d := range calls(s, &ways[i], r) {
				if _, err := interpret(code, d); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// Programs mean what their profiles say.
func FuzzFilterAgreesWithModel(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		agrees(t, randomProfile(r), r)
	})
}

// A cache file gives back the program that was put into it, or nothing.
func FuzzDecodeEntry(f *testing.F) {
	var k key
	whole := encodeEntry(k, bytes.Repeat([]byte{6, 0, 0, 0, 0, 0, 0, 0}, 3))
	f.Add(whole)
	f.Add(whole[:headerSize])
	f.Fuzz(func(t *testing.T, content []byte) {
		if program := decodeEntry(k, content); program != nil && !bytes.Equal(encodeEntry(k, program), content) {
			t.Error("the entry is not what an encoder writes")
		}
	})
}
