package nsenter

import (
	"bytes"
	"debug/elf"
	"testing"
)

// The stage is loaded at a random address, writes to nothing that it executes,
// and needs nobody who would relocate it: it has no libc.
func TestStageIsHardened(t *testing.T) {
	f, err := elf.NewFile(bytes.NewReader(stageELF))
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != elf.ET_DYN {
		t.Errorf("the type is %s: loaded at an address that is known", f.Type)
	}
	stack := false
	for _, p := range f.Progs {
		if p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0 {
			t.Errorf("%s can be written to and executed", p.Type)
		}
		stack = stack || p.Type == elf.PT_GNU_STACK
		if p.Type == elf.PT_INTERP {
			t.Error("the stage wants an interpreter")
		}
	}
	if !stack {
		t.Error("nothing says that the stack cannot be executed")
	}
	const relr elf.DynTag = 36                                                                                      // DT_RELR, which debug/elf does not name
	for _, tag := range []elf.DynTag{elf.DT_NEEDED, elf.DT_RELA, elf.DT_REL, elf.DT_JMPREL, elf.DT_TEXTREL, relr} { //nolint:misspell // the linker's word
		if values, err := f.DynValue(tag); err != nil || len(values) > 0 {
			t.Errorf("%s: %v %v: somebody would have to relocate the stage", tag, values, err)
		}
	}
}
