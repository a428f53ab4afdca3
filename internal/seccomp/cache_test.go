package seccomp

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// load loads through the cache and says whether the program came from it.
func load(t *testing.T, dir string, s *specs.LinuxSeccomp) *Filter {
	t.Helper()
	f, err := Load(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSecondLoadTakesProgramFromCache(t *testing.T) {
	s, dir := profile(t, "docker-amd64.json"), filepath.Join(t.TempDir(), "cache")
	first, second := load(t, dir, s), load(t, dir, s)
	if first.Cached || !second.Cached {
		t.Errorf("cached: first %v, second %v", first.Cached, second.Cached)
	}
	if !bytes.Equal(first.Program, second.Program) || first.Flags != second.Flags {
		t.Error("the filters differ")
	}
	for name, mode := range map[string]os.FileMode{dir: os.ModeDir | 0o700, filepath.Join(dir, newKey(s).fileName()): 0o600} {
		if st, err := os.Lstat(name); err != nil || st.Mode() != mode {
			t.Errorf("%s: %v, %v, want %v", name, st.Mode(), err, mode)
		}
	}
}

func TestCacheSharesProgramAmongListenersAndFlags(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	const rules = `"syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]`
	load(t, dir, parse(t, `{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/a", `+rules+`}`))
	f := load(t, dir, parse(t, `{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/b", "flags": [], `+rules+`}`))
	if !f.Cached || f.Flags != unix.SECCOMP_FILTER_FLAG_NEW_LISTENER {
		t.Errorf("cached %v, flags %#x", f.Cached, f.Flags)
	}
}

func TestKeyDependsOnAllThatMakesTheProgram(t *testing.T) {
	seen := map[key]string{}
	for _, text := range []string{
		`{"defaultAction": "SCMP_ACT_ALLOW"}`,
		`{"defaultAction": "SCMP_ACT_LOG"}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 0}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["A"]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["A", "B"]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["AB"]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": []}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a", "b"]}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["ab"]}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"]}, {"names": ["b"]}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "b"}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "errnoRet": 0}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "errnoRet": 1}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "args": [{}]}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "args": [{"index": 1}]}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "args": [{"value": 1}]}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "args": [{"valueTwo": 1}]}]}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "args": [{"op": "x"}]}]}`,
	} {
		k := newKey(parse(t, text))
		if other := seen[k]; other != "" {
			t.Errorf("%s and %s have the same key", other, text)
		}
		seen[k] = text
	}
}

// damage is something that can have happened to a cache file.
var damage = map[string]func(t *testing.T, file string){
	"empty":         func(t *testing.T, file string) { truncate(t, file, 0) },
	"header only":   func(t *testing.T, file string) { truncate(t, file, int64(headerSize)) },
	"torn":          func(t *testing.T, file string) { truncate(t, file, int64(headerSize+3*insnSize)) },
	"torn unevenly": func(t *testing.T, file string) { truncate(t, file, int64(headerSize+3)) },
	"longer":        func(t *testing.T, file string) { truncate(t, file, int64(maxFile)) },
	"far too long":  func(t *testing.T, file string) { truncate(t, file, 1<<40) },
	"another magic": func(t *testing.T, file string) { flip(t, file, 0) },
	"another key":   func(t *testing.T, file string) { flip(t, file, len(cacheMagic)) },
	"another sum":   func(t *testing.T, file string) { flip(t, file, headerSize-1) },
	"another insn":  func(t *testing.T, file string) { flip(t, file, headerSize+4) },
	"readable by others": func(t *testing.T, file string) {
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
	},
	"a symlink": func(t *testing.T, file string) {
		if err := os.Rename(file, file+".real"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(file+".real", file); err != nil {
			t.Fatal(err)
		}
	},
	"a fifo": func(t *testing.T, file string) {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mkfifo(file, 0o600); err != nil {
			t.Fatal(err)
		}
	},
	"someone else's": func(t *testing.T, file string) {
		if os.Geteuid() != 0 {
			t.Skip("only root can give a file away")
		}
		if err := os.Chown(file, 12345, -1); err != nil {
			t.Fatal(err)
		}
	},
}

func truncate(t *testing.T, file string, size int64) {
	t.Helper()
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
}

func flip(t *testing.T, file string, offset int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[offset] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedCacheFileIsNotUsedAndIsReplaced(t *testing.T) {
	s := profile(t, "docker-amd64.json")
	for name, do := range damage {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "cache")
			good := load(t, dir, s)
			do(t, filepath.Join(dir, newKey(s).fileName()))
			if again := load(t, dir, s); again.Cached || !bytes.Equal(again.Program, good.Program) {
				t.Errorf("cached %v, the same program %v", again.Cached, bytes.Equal(again.Program, good.Program))
			}
			if third := load(t, dir, s); !third.Cached || !bytes.Equal(third.Program, good.Program) {
				t.Error("the file was not replaced")
			}
		})
	}
}

func TestCacheDirectoryOfOthersIsNotUsed(t *testing.T) {
	s := parse(t, `{"defaultAction": "SCMP_ACT_ALLOW"}`)
	for name, do := range map[string]func(t *testing.T, dir string) error{
		"writable by others": func(_ *testing.T, dir string) error { return os.Chmod(dir, 0o777) },
		"a symlink": func(_ *testing.T, dir string) error {
			if err := os.Rename(dir, dir+".real"); err != nil {
				return err
			}
			return os.Symlink(dir+".real", dir)
		},
		"someone else's": func(t *testing.T, dir string) error {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a directory away")
			}
			return os.Chown(dir, 12345, -1)
		},
		"a file": func(_ *testing.T, dir string) error {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			return os.WriteFile(dir, nil, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "cache")
			load(t, dir, s)
			if err := do(t, dir); err != nil {
				t.Fatal(err)
			}
			if f := load(t, dir, s); f.Cached {
				t.Error("the cache was used")
			}
		})
	}
}

func TestCacheKeepsBoundedNumberOfFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for errno := range uint(2 * maxFiles) {
		load(t, dir, &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, DefaultErrnoRet: &errno})
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != maxFiles {
		t.Errorf("%d files, want %d", len(entries), maxFiles)
	}
}

func TestLoadersAtTheSameTimeAgree(t *testing.T) {
	s, dir := profile(t, "podman-amd64.json"), filepath.Join(t.TempDir(), "cache")
	want, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			f, err := Load(dir, s)
			if err != nil || !bytes.Equal(f.Program, want.Program) {
				t.Errorf("%v, the same program: %v", err, err == nil)
			}
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	if f := load(t, dir, s); !f.Cached {
		t.Error("none of them kept the program")
	}
}
