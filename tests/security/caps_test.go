package security

import (
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"hull/specconv"
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
	have, err := strconv.ParseUint(field(string(status), "CapEff"), 16, 64)
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

// field is the value of a line "key: value" of text, as in /proc/PID/status.
func field(text, key string) string {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok && name == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
