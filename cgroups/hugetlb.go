package cgroups

import (
	"fmt"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func hugetlbV1(r *specs.LinuxResources, d *dir) ([]setting, error) {
	return hugetlb(r, d, "limit_in_bytes"), nil
}

func hugetlbV2(r *specs.LinuxResources, d *dir) ([]setting, error) {
	return hugetlb(r, d, "max"), nil
}

// hugetlb sets linux.resources.hugepageLimits, config-linux.md, "Huge page
// limits": of the reservations, where the kernel can (since Linux 5.7), and of
// the page faults too, which catch what was mapped without a reservation.
func hugetlb(r *specs.LinuxResources, d *dir, suffix string) []setting {
	var list []setting
	for i, h := range r.HugepageLimits {
		field := fmt.Sprintf("linux.resources.hugepageLimits[%d]", i)
		unknown := facts{unix.ENOENT: "this machine has no pages of this size, only " + strings.Join(pageSizes(d), ", ")}
		prefix := "hugetlb." + h.Pagesize + "."
		if strings.ContainsAny(h.Pagesize, "./") {
			prefix = "hugetlb.?."
		}
		list = append(list, setting{field, prefix + suffix, number(h.Limit), unknown})
		if d.exists(prefix + "rsvd." + suffix) {
			list = append(list, setting{field, prefix + "rsvd." + suffix, number(h.Limit), unknown})
		}
	}
	return list
}

// pageSizes are the sizes that the files in d name.
func pageSizes(d *dir) []string {
	entries, _ := d.entries()
	var sizes []string
	for _, e := range entries {
		size, ok := strings.CutPrefix(e.Name(), "hugetlb.")
		if size, end, _ := strings.Cut(size, "."); ok && (end == "max" || end == "limit_in_bytes") {
			sizes = append(sizes, size)
		}
	}
	slices.Sort(sizes)
	return sizes
}
