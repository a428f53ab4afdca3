package cgroups

import (
	"maps"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// rdma sets linux.resources.rdma, config-linux.md, "RDMA". The file is the
// same on v1 and v2.
func rdma(r *specs.LinuxResources, _ *dir) ([]setting, error) {
	var list []setting
	for _, name := range slices.Sorted(maps.Keys(r.Rdma)) {
		limits := r.Rdma[name]
		words := []string{name}
		if limits.HcaHandles != nil {
			words = append(words, "hca_handle="+number(*limits.HcaHandles))
		}
		if limits.HcaObjects != nil {
			words = append(words, "hca_object="+number(*limits.HcaObjects))
		}
		field := "linux.resources.rdma." + name
		if len(words) == 1 {
			return nil, unsupported(field, "{}", "must have hcaHandles, hcaObjects or both")
		}
		list = append(list, setting{
			field, "rdma.max", strings.Join(words, " "),
			facts{unix.ENODEV: "there is no such RDMA device", unix.EINVAL: "there is no such RDMA device"},
		})
	}
	return list, nil
}
