package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatCannotBeExecutedIsNamedAtCreate(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		words []string
	}{
		"not in PATH":      {[]string{"nope"}, []string{"process.args[0]", "nope", "executable file not found in $PATH"}},
		"missing":          {[]string{"/bin/nope"}, []string{"process.args[0]", "/bin/nope", "no such file or directory"}},
		"not executable":   {[]string{"/etc/passwd"}, []string{"process.args[0]", "/etc/passwd", "permission denied"}},
		"a directory":      {[]string{"/etc"}, []string{"process.args[0]", "/etc", "is a directory"}},
		"below a file":     {[]string{"/etc/passwd/x"}, []string{"process.args[0]", "/etc/passwd/x", "not a directory"}},
		"a broken link":    {[]string{"/bin/broken"}, []string{"process.args[0]", "/bin/broken", "no such file or directory"}},
		"a directory only": {[]string{"etc"}, []string{"process.args[0]", "etc", "executable file not found in $PATH"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, args(c.args...))
			b.check(os.Symlink("/nowhere", b.rootfs+"/bin/broken"))
			b.refuse(1, c.words, "create", "--bundle", b.bundle, b.id)
			b.wantNothingLeft()
			b.run().expect(b, 1, c.words...)
			b.wantNothingLeft()
		})
	}
}

// execve(2) itself tells only at start what is wrong with these files.
func TestFilesThatTheKernelCannotExecuteAreNamed(t *testing.T) {
	b := newBox(t)
	elf, err := os.ReadFile(probe)
	b.check(err)
	elf[18], elf[19] = 0xf3, 0 // e_machine: RISC-V
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"foreign":     {elf, "exec format error"},
		"garbage":     {[]byte("\x01\x02\x03"), "exec format error"},
		"interpreter": {[]byte("#!/no/such/interpreter\n"), "no such file or directory"},
	} {
		b := newBox(t, args("/bin/"+name))
		b.check(os.WriteFile(filepath.Join(b.rootfs, "bin", name), c.data, 0o755))
		b.run().expect(b, 1, "/bin/"+name, c.want)
		b.wantNothingLeft()
		b.create()
		b.refuse(1, []string{"/bin/" + name, c.want}, "start", b.id)
		b.wantStatus("stopped")
		b.must("delete", b.id)
	}
}

func TestArgumentsThatAreTooLongAreNamed(t *testing.T) {
	b := newBox(t, args("/bin/probe", "say", strings.Repeat("x", 1<<20)))
	b.run().expect(b, 1, "/bin/probe", "argument list too long")
	b.wantNothingLeft()
}
