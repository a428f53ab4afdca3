package security

import (
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"

	"hull/specconv"
	"hull/tests/proc"
)

// allCaps are the capabilities that this test has, and so can give.
var allCaps = sync.OnceValue(func() (list []string) {
	var features struct {
		Linux struct{ Capabilities []string }
	}
	out, err := exec.Command(hullPath, "features").Output()
	if err == nil {
		err = json.Unmarshal(out, &features)
	}
	if err != nil {
		panic(err)
	}
	status, _ := os.ReadFile("/proc/self/status")
	have, err := strconv.ParseUint(proc.Field(string(status), "CapEff"), 16, 64)
	if err != nil {
		panic(err)
	}
	for _, name := range features.Linux.Capabilities {
		if mask, _ := specconv.Capabilities([]string{name}); mask&have != 0 {
			list = append(list, name)
		}
	}
	return list
})

// privileged gives the container every capability there is.
func (b *bundle) privileged() {
	b.Helper()
	b.edit(func(s *specs.Spec) {
		list := allCaps()
		s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: list, Effective: list, Permitted: list}
		s.Process.NoNewPrivileges = false
	})
}
