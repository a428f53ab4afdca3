package cgroups

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const blockField = "linux.resources.blockIO."

var weightFacts = facts{
	unix.ENOENT: "this kernel has no I/O scheduler with weights (bfq, or iocost on cgroup v2)",
	unix.EINVAL: "the kernel refuses this weight",
	unix.ERANGE: "the kernel refuses this weight",

	unix.EOPNOTSUPP: "the device's I/O scheduler has no weights (bfq has)",
}

// blkioV1 sets linux.resources.blockIO, config-linux.md, "Block IO". A weight
// of zero means unset: Docker always sends one.
//
// Since CFQ went away in Linux 5.0 the weights are bfq's, in files of its own.
func blkioV1(r *specs.LinuxResources, d *dir) ([]setting, error) {
	b := r.BlockIO
	if b == nil {
		return nil, nil
	}
	weightFile := "blkio.weight"
	if d.exists("blkio.bfq.weight") {
		weightFile = "blkio.bfq.weight"
	}
	var list []setting
	add := func(name string, p *uint16, file, device string) {
		if p != nil && *p != 0 {
			list = append(list, setting{blockField + name, file, device + number(*p), weightFacts})
		}
	}
	add("weight", b.Weight, weightFile, "")
	add("leafWeight", b.LeafWeight, "blkio.leaf_weight", "")
	for i, w := range b.WeightDevice {
		field := fmt.Sprintf("weightDevice[%d].", i)
		add(field+"weight", w.Weight, weightFile+"_device", device(w.LinuxBlockIODevice))
		add(field+"leafWeight", w.LeafWeight, "blkio.leaf_weight_device", device(w.LinuxBlockIODevice))
	}
	throttle(b, func(t throttled) {
		list = append(list, setting{t.field, "blkio.throttle." + t.v1, t.device + number(t.rate), nil})
	})
	return list, nil
}

// ioV2 sets linux.resources.blockIO. bfq's weights come first because where
// they exist, io.weight may exist without a device that heeds it.
func ioV2(r *specs.LinuxResources, d *dir) ([]setting, error) {
	b := r.BlockIO
	if b == nil {
		return nil, nil
	}
	file, convert := "io.weight", ioWeight
	if d.exists("io.bfq.weight") {
		file, convert = "io.bfq.weight", func(w uint16) uint64 { return uint64(w) }
	}
	const noLeaf = "cgroup v2 has no leaf weights: processes and child cgroups do not compete there"
	if b.LeafWeight != nil && *b.LeafWeight != 0 {
		return nil, unsupported(blockField+"leafWeight", *b.LeafWeight, noLeaf)
	}
	var list []setting
	add := func(name string, p *uint16, device string) {
		if p != nil && *p != 0 {
			list = append(list, setting{blockField + name, file, device + number(convert(*p)), weightFacts})
		}
	}
	add("weight", b.Weight, "")
	for i, w := range b.WeightDevice {
		field := fmt.Sprintf("weightDevice[%d].", i)
		if w.LeafWeight != nil && *w.LeafWeight != 0 {
			return nil, unsupported(blockField+field+"leafWeight", *w.LeafWeight, noLeaf)
		}
		add(field+"weight", w.Weight, device(w.LinuxBlockIODevice))
	}
	throttle(b, func(t throttled) {
		rate := number(t.rate)
		if t.rate == 0 { // v1's way to lift a limit
			rate = "max"
		}
		list = append(list, setting{t.field, "io.max", t.device + t.v2 + "=" + rate, nil})
	})
	return list, nil
}

// ioWeight maps the range 10 to 1000 of blkio.weight to the 1 to 10000 of io.weight.
func ioWeight(w uint16) uint64 {
	if w <= 10 {
		return 1
	}
	return 1 + (uint64(w)-10)*9999/990
}

// device begins a line about one block device.
func device(d specs.LinuxBlockIODevice) string { return fmt.Sprintf("%d:%d ", d.Major, d.Minor) }

// throttled is one entry of a throttle list and its names on v1 and v2.
type throttled struct {
	field, device, v1, v2 string
	rate                  uint64
}

func throttle(b *specs.LinuxBlockIO, f func(throttled)) {
	lists := []struct {
		name, v1, v2 string
		devices      []specs.LinuxThrottleDevice
	}{
		{"throttleReadBpsDevice", "read_bps_device", "rbps", b.ThrottleReadBpsDevice},
		{"throttleWriteBpsDevice", "write_bps_device", "wbps", b.ThrottleWriteBpsDevice},
		{"throttleReadIOPSDevice", "read_iops_device", "riops", b.ThrottleReadIOPSDevice},
		{"throttleWriteIOPSDevice", "write_iops_device", "wiops", b.ThrottleWriteIOPSDevice},
	}
	for _, l := range lists {
		for i, t := range l.devices {
			f(throttled{fmt.Sprintf("%s%s[%d]", blockField, l.name, i), device(t.LinuxBlockIODevice), l.v1, l.v2, t.Rate})
		}
	}
}
