// Package proc tells tests about processes.
package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Ended tells whether a process has ended, so that nothing but its number and
// exit status remain: those are for its parent to take, or for the host's init.
// The first process of a pid namespace is one too while it waits, with
// PF_EXITING in its flags, for zombies in its namespace to be taken. proc_pid_stat(5)
func Ended(pid int) bool {
	const exiting = 0x4
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if len(fields) < 7 {
		return true
	}
	flags, err := strconv.Atoi(fields[6])
	return err != nil || fields[0] == "Z" || fields[0] == "X" || flags&exiting != 0
}

// Field is what a file such as /proc/PID/status has on the line that begins with key and a colon.
func Field(text, key string) string {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok && name == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Killed tells whether a process has been killed and runs no more, even if it has
// not come to its end for want of a processor. proc_pid_status(5)
func Killed(pid int) bool {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	pending, err := strconv.ParseUint(Field(string(status), "ShdPnd"), 16, 64)
	return err == nil && pending&(1<<(unix.SIGKILL-1)) != 0
}
