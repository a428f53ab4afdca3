package specconv

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// HostID is what the id of the container is on the host.
func HostID(id uint32, mapping []specs.LinuxIDMapping) (uint32, bool) {
	for _, m := range mapping {
		if id >= m.ContainerID && id-m.ContainerID < m.Size {
			return m.HostID + (id - m.ContainerID), true
		}
	}
	return 0, false
}

// IDMap is the text for /proc/PID/uid_map or gid_map; see user_namespaces(7).
func IDMap(mapping []specs.LinuxIDMapping) string {
	var b strings.Builder
	for _, m := range mapping {
		fmt.Fprintf(&b, "%d %d %d\n", m.ContainerID, m.HostID, m.Size)
	}
	return b.String()
}

// idMap checks a mapping as the kernel does when it is written, to tell which entry it would refuse.
func (k checker) idMap(field string, mapping []specs.LinuxIDMapping) {
	const most = 340 // since Linux 4.15
	if len(mapping) > most {
		k.bad(field, len(mapping), "has more than %d entries", most)
		return
	}
	all := k.prefix
	for i, m := range mapping {
		k := k.at(field, i)
		if m.Size == 0 {
			k.bad("size", m.Size, "must not be 0")
			continue
		}
		k.idRange("containerID", m.ContainerID, m.Size)
		k.idRange("hostID", m.HostID, m.Size)
		for j, other := range mapping[:i] {
			if overlap(m.ContainerID, m.Size, other.ContainerID, other.Size) {
				k.bad("containerID", m.ContainerID, "the range overlaps that of %s[%d]", join(all, field), j)
			}
			if overlap(m.HostID, m.Size, other.HostID, other.Size) {
				k.bad("hostID", m.HostID, "the range overlaps that of %s[%d]", join(all, field), j)
			}
		}
	}
	if len(IDMap(mapping)) >= os.Getpagesize() {
		k.bad(field, len(mapping), "is too long: written as text, it must be shorter than a page")
	}
}

// idRange reports a range that leaves the numbers that are ids, and a start that may be missing.
func (k checker) idRange(field string, start, size uint32) {
	if uint64(start)+uint64(size) > math.MaxUint32 {
		k.bad(field, start, "with the size %d, the range ends after the last id, %d", size, uint32(math.MaxUint32-1))
	}
	if start == 0 {
		k.need(field)
	}
}

func overlap(a, sizeA, b, sizeB uint32) bool {
	return uint64(a) < uint64(b)+uint64(sizeB) && uint64(b) < uint64(a)+uint64(sizeA)
}

// ranges shows which ids of the container a mapping has, as in 0-999,2000.
func ranges(mapping []specs.LinuxIDMapping) string {
	var parts []string
	for _, m := range mapping {
		if last := uint64(m.ContainerID) + uint64(m.Size) - 1; m.Size > 1 {
			parts = append(parts, fmt.Sprintf("%d-%d", m.ContainerID, last))
		} else {
			parts = append(parts, strconv.FormatUint(uint64(m.ContainerID), 10))
		}
	}
	return strings.Join(parts, ",")
}
