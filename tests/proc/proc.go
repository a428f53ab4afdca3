// Package proc tells tests about processes.
package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Killed tells whether a process has been killed and runs no more, even if it has
// not come to its end for want of a processor. proc_pid_status(5)
func Killed(pid int) bool {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(status), "\nShdPnd:\t")
	digits, _, _ := strings.Cut(after, "\n")
	pending, err := strconv.ParseUint(digits, 16, 64)
	return err == nil && pending&(1<<(unix.SIGKILL-1)) != 0
}
