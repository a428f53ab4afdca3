package security

import (
	"debug/elf"
	"testing"
)

// Hull itself: no loader that an environment could lead astray (LD_PRELOAD), no
// stack that can be executed, nothing both written and executed, and what the
// linker fills in is read-only once it is filled.
func TestBinaryIsHardened(t *testing.T) {
	f, err := elf.Open(hullPath)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := map[elf.ProgType]bool{}
	for _, p := range f.Progs {
		seen[p.Type] = true
		if p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0 {
			t.Errorf("%s can be written to and executed", p.Type)
		}
	}
	if seen[elf.PT_INTERP] || seen[elf.PT_DYNAMIC] && f.Type != elf.ET_DYN {
		t.Error("the binary wants a loader")
	}
	if !seen[elf.PT_GNU_STACK] || !seen[elf.PT_GNU_RELRO] {
		t.Errorf("the segments are %v", seen)
	}
}
