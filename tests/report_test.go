package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"hull/tests/proc"
)

// report is what the probe saw; report.c has the twin.
type report struct {
	t testing.TB

	FDs  map[string]string `json:"fds"`
	NS   map[string]string `json:"ns"`
	Self map[string]string `json:"self"`

	PID    int   `json:"pid"`
	PPID   int   `json:"ppid"`
	SID    int   `json:"sid"`
	PGID   int   `json:"pgid"`
	UIDs   []int `json:"uids"`
	GIDs   []int `json:"gids"`
	Groups []int `json:"groups"`
	Umask  int   `json:"umask"`

	Policy      int   `json:"policy"`
	Priority    int   `json:"priority"`
	Nice        int   `json:"nice"`
	IOPrio      int   `json:"ioprio"`
	Personality int   `json:"personality"`
	CPUs        []int `json:"cpus"`

	Cwd        string `json:"cwd"`
	Hostname   string `json:"hostname"`
	Domainname string `json:"domainname"`
	Machine    string `json:"machine"`
	Monotonic  int64  `json:"monotonic"`
	Boottime   int64  `json:"boottime"`
	Keyring    int64  `json:"keyring"`
	TTY        []int  `json:"tty"`
	Rows       int    `json:"rows"`
	Cols       int    `json:"cols"`

	Env   []string          `json:"env"`
	Files map[string]string `json:"files"`
	Dev   map[string]node   `json:"dev"`
}

// node is a file in /dev.
type node struct {
	Mode  uint32 `json:"mode"`
	UID   int    `json:"uid"`
	GID   int    `json:"gid"`
	Major uint32 `json:"major"`
	Minor uint32 `json:"minor"`
	Link  string `json:"link"`
}

func (n node) String() string {
	kind := map[uint32]string{unix.S_IFCHR: "c", unix.S_IFBLK: "b", unix.S_IFIFO: "p", unix.S_IFDIR: "d", unix.S_IFLNK: "l"}[n.Mode&unix.S_IFMT]
	if n.Link != "" {
		return "-> " + n.Link
	}
	return fmt.Sprintf("%s %04o %d:%d %d:%d", kind, n.Mode&0o7777, n.UID, n.GID, n.Major, n.Minor)
}

// parseReport reads the one line that the probe prints.
func parseReport(t testing.TB, text string) *report {
	t.Helper()
	r := &report{t: t}
	if err := json.Unmarshal([]byte(text), r); err != nil {
		t.Fatalf("not a report: %v: %q", err, text)
	}
	return r
}

// report runs the container with the probe and returns what it saw, with these files.
func (b *box) report(files ...string) *report {
	b.t.Helper()
	if len(files) > 0 {
		b.edit(runProbe(append([]string{"report"}, files...)...))
	}
	return parseReport(b.t, b.mustRun())
}

// execReport lets exec run the probe and returns what it saw.
func (b *box) execReport(flags ...string) *report {
	b.t.Helper()
	return parseReport(b.t, b.must(append(append([]string{"exec"}, flags...), b.id, "/bin/probe")...).stdout)
}

// status is a field of /proc/self/status.
func (r *report) status(key string) string { return proc.Field(r.Files["/proc/self/status"], key) }

// caps are the names in one of the process's capability sets, such as CapEff.
func (r *report) caps(set string) []string { return capNames(r.status(set)) }

// limit is a line of /proc/self/limits: "soft hard".
func (r *report) limit(name string) string {
	r.t.Helper()
	for line := range strings.Lines(r.Files["/proc/self/limits"]) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			f := strings.Fields(rest)
			return f[0] + " " + f[1]
		}
	}
	r.t.Fatalf("no limit %q in %q", name, r.Files["/proc/self/limits"])
	return ""
}

// mounts are the mounts that the process sees.
func (r *report) mounts() []*mountinfo.Info {
	r.t.Helper()
	list, err := mountinfo.GetMountsFromReader(strings.NewReader(r.Files["/proc/self/mountinfo"]), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

// mount is the topmost mount at path, or nil.
func (r *report) mount(path string) *mountinfo.Info {
	r.t.Helper()
	var found *mountinfo.Info
	for _, m := range r.mounts() {
		if m.Mountpoint == path {
			found = m
		}
	}
	return found
}

// env is the value of a variable, and whether there is one.
func (r *report) env(name string) (string, bool) {
	for _, v := range r.Env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// ownStatus is a field of this process's /proc/self/status.
func ownStatus(key string) string {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	return proc.Field(string(data), key)
}

// capOrder are the capabilities by their numbers.
var capOrder = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
	NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
	SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
	SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

// capNames are the names of the bits in a hexadecimal mask.
func capNames(mask string) []string {
	bits, err := strconv.ParseUint(mask, 16, 64)
	if err != nil {
		panic(err)
	}
	var names []string
	for i, name := range capOrder {
		if bits&(1<<i) != 0 {
			names = append(names, "CAP_"+name)
		}
	}
	return names
}
