package security

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Strings longer than a 16-bit length can tell: a protocol that cuts it reads
// what follows as something that nobody has said.
func TestCVE_2021_43784_LengthsThatOverflow(t *testing.T) {
	replay(t, func(b *bundle) string {
		for _, n := range []int{65520, 65528, 65529, 65530, 65531, 65532, 65533, 65534, 65535, 65536, 65537, 65540, 100000, 131071} { // MAX_ARG_STRLEN, execve(2)
			path := "/bin:/" + strings.Repeat("x", n-len("PATH=/bin:/"))
			b.edit(func(s *specs.Spec) {
				s.Process.Env, s.Hostname = []string{"PATH=" + path, "LAST=1"}, "own"
			})
			b.payload("echo ${#PATH} $LAST $(hostname)")
			if r := b.run(); r.out != fmt.Sprintf("%d 1 own\n", len(path)) {
				return fmt.Sprintf("of a string of %d bytes the container got %s", n, r)
			}
		}
		return ""
	}, without("wide offsets"))
	for name, change := range map[string]func(*specs.Spec){
		"a variable":    func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, "A="+strings.Repeat("x", 1<<17)) },
		"all variables": func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, many(3000)...) },
		"a namespace": func(s *specs.Spec) {
			s.Linux.Namespaces[0].Path = "/" + strings.Repeat("x", 70000)
		},
		"mappings": func(s *specs.Spec) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
			for i := range uint32(10000) {
				m := specs.LinuxIDMapping{ContainerID: 2 * i, HostID: 100000 + 2*i, Size: 1}
				s.Linux.UIDMappings, s.Linux.GIDMappings = append(s.Linux.UIDMappings, m), append(s.Linux.GIDMappings, m)
			}
		},
		"a mount": func(s *specs.Spec) {
			s.Mounts = append(s.Mounts, specs.Mount{Destination: "/" + strings.Repeat("x", 1<<16), Type: "tmpfs"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, hull)
			b.payload("echo ran")
			b.edit(change)
			b.run()
			b.refused()
		})
	}
}

// many are n variables of a KiB.
func many(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("V%d=%s", i, strings.Repeat("x", 1024)))
	}
	return list
}
