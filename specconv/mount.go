package specconv

import (
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Attr are changes of a mount's attributes, MOUNT_ATTR_* as mount_setattr(2) has them.
type Attr struct{ Set, Clear uint64 }

// IsZero says that nothing is to change.
func (a Attr) IsZero() bool { return a == Attr{} }

// Mount is an element of `mounts` (config.md "Mounts") in the kernel's words.
type Mount struct {
	Destination    string    // absolute and clean
	Bind           bool      // bind or rbind
	Recursive      bool      // rbind
	Remount        bool      // change the mount that is there
	TmpCopyUp      bool      // a tmpfs that starts with what it covers
	IDMap          bool      // idmap, ridmap, or mappings of its own
	RecursiveIDMap bool      // ridmap
	Attr           Attr      // of the mount itself
	RecursiveAttr  Attr      // of the mount and those below it, after Attr
	Super          uintptr   // MS_* that the superblock gets
	SuperClear     uintptr   // MS_* that the superblock loses
	Propagation    []uintptr // MS_SHARED, …, to be set one after the other
	Data           []string  // `key` or `key=value`, for the file system
}

// superWords are the superblock's flags as fsconfig(2) knows them, where it does.
var superWords = []struct {
	flag     uintptr
	set, not string
}{
	{unix.MS_RDONLY, "ro", "rw"},
	{unix.MS_SYNCHRONOUS, "sync", "async"},
	{unix.MS_DIRSYNC, "dirsync", ""},
	{unix.MS_MANDLOCK, "mand", "nomand"},
	{unix.MS_LAZYTIME, "lazytime", "nolazytime"},
}

// SuperWords are Super and SuperClear as keys for fsconfig(2). MS_SILENT and
// MS_I_VERSION have none: the first has no effect there, the second needs mount(2).
func (m *Mount) SuperWords() []string {
	var words []string
	for _, w := range superWords {
		if m.Super&w.flag != 0 {
			words = append(words, w.set)
		}
		if m.SuperClear&w.flag != 0 {
			words = append(words, w.not)
		}
	}
	return words
}

// LowerMount gives m in the kernel's words. The error is [Problems], with paths below the mount.
func LowerMount(m *specs.Mount) (Mount, error) {
	k := newChecker()
	low := lowerMount(k, m)
	return low, k.err()
}

// lowerMount is LowerMount that reports to k.
func lowerMount(k checker, m *specs.Mount) Mount {
	low := Mount{Destination: path.Clean("/" + m.Destination)}
	dataAt := -1
	for i, text := range m.Options {
		if strings.IndexByte(text, 0) >= 0 {
			k.at("options", i).bad("", text, "contains a NUL byte")
			continue
		}
		for _, word := range splitOption(text) {
			if o, ok := lookupMountOption(word); ok {
				o.apply(&low)
			} else if word != "" {
				low.Data = append(low.Data, word)
				dataAt = i
			}
		}
	}
	if len(m.UIDMappings)+len(m.GIDMappings) > 0 {
		low.IDMap = true
	}
	if low.Bind && dataAt >= 0 {
		k.at("options", dataAt).bad("", m.Options[dataAt], "bind mounts cannot have any filesystem-specific options applied").
			oneOf(MountOptions())
	}
	checkMount(k, m, &low)
	return low
}

// checkMount reports what no kernel could do.
func checkMount(k checker, m *specs.Mount, low *Mount) {
	checkDestination(k, m, low)
	if low.Bind && m.Source == "" && !low.Remount {
		k.bad("source", nil, "a bind mount needs a source")
	}
	if m.Type == "" && !low.Bind && !low.Remount {
		k.bad("type", nil, "missing: it may be left out with bind or rbind in options only")
	}
	if !low.Bind && !low.Remount && (m.Type == "bind" || m.Type == "rbind") {
		k.bad("type", m.Type, "a bind mount needs bind or rbind in options")
	}
	if low.TmpCopyUp && (m.Type != "tmpfs" || low.Bind || low.Remount) {
		k.bad("options", "tmpcopyup", "is for mounts of type tmpfs")
	}
	if !low.IDMap {
		return
	}
	if !low.Bind || low.Remount {
		k.bad("options", "idmap", "only bind mounts can have id mappings")
	}
	if len(m.UIDMappings) == 0 && len(m.GIDMappings) > 0 {
		k.bad("uidMappings", nil, "must be given along with gidMappings")
	}
	if len(m.GIDMappings) == 0 && len(m.UIDMappings) > 0 {
		k.bad("gidMappings", nil, "must be given along with uidMappings")
	}
}

// underProc are the files of procfs that may be mounted over: those that lxcfs provides.
var underProc = []string{
	"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/slabinfo", "/proc/stat",
	"/proc/swaps", "/proc/uptime", "/proc/sys/crypto/fips_enabled", "/proc/sys/kernel/ns_last_pid",
}

// UnderProc says whether the destination is one of the files of procfs that may be mounted over.
func UnderProc(destination string) bool { return slices.Contains(underProc, destination) }

// checkDestination refuses what would replace the root or let a container fake
// its /proc (CVE-2015-3630, CVE-2019-16884). That a bind onto /proc is of a
// procfs is for rootfs to see.
func checkDestination(k checker, m *specs.Mount, low *Mount) {
	dest := low.Destination
	switch {
	case m.Destination == "":
		k.bad("destination", nil, "missing")
	case strings.IndexByte(m.Destination, 0) >= 0:
		k.bad("destination", m.Destination, "contains a NUL byte")
	case dest == "/":
		k.bad("destination", m.Destination, "is the root itself").hint("see root.path and root.readonly")
	case low.Remount:
	case dest == "/proc" && m.Type != "proc" && !low.Bind:
		k.bad("destination", m.Destination, "only a procfs may be mounted there")
	case strings.HasPrefix(dest, "/proc/") && !UnderProc(dest):
		k.bad("destination", m.Destination, "lies inside /proc, where nothing may be mounted but").oneOf(underProc)
	}
}

// splitOption splits an option at its commas, as the kernel splits the data of
// mount(2): not at one that a backslash precedes (overlayfs) or that stands in
// double quotes (SELinux contexts, whose quotes are not part of the value).
func splitOption(s string) []string {
	if !strings.ContainsAny(s, `,"`) {
		return []string{s}
	}
	var words []string
	var word strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			word.WriteString(s[i : i+2])
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			words = append(words, word.String())
			word.Reset()
		default:
			word.WriteByte(c)
		}
	}
	return append(words, word.String())
}
