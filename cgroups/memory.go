package cgroups

import (
	"fmt"
	"math"
	"os"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const memoryField = "linux.resources.memory."

// kernelLimit is a file that has had no effect since Linux 5.16.
const kernelLimit = "memory.kmem.limit_in_bytes"

var (
	limitFacts = facts{
		unix.EINVAL: "must not be greater than the limit of memory and swap together: raise linux.resources.memory.swap as well",
		unix.EBUSY:  "lower than what is in use and cannot be freed",
	}
	swapFacts = facts{
		unix.EINVAL: "memory and swap together must not be less than linux.resources.memory.limit",
		unix.EBUSY:  "lower than what is in use and cannot be freed",
		unix.ENOENT: "this kernel does not account swap: boot it with swapaccount=1",
	}
	hierarchyFacts = facts{unix.EINVAL: "Linux 5.11 and later always account a cgroup's children with it"}
	kernelFacts    = facts{
		unix.EOPNOTSUPP: "Linux 5.16 and later cannot limit kernel memory: the limit of all memory contains it",
		unix.EBUSY:      "lower than what is in use",
	}
)

// memoryV1 sets linux.resources.memory, config-linux.md, "Memory". Zero means
// unset for the limits, as in runc: some engines send every field.
//
// The limit stands before swap because that is the order for lowering both;
// apply turns it round when both are raised.
func memoryV1(r *specs.LinuxResources, d *dir) ([]setting, error) {
	m := r.Memory
	if m == nil {
		return nil, nil
	}
	var list []setting
	add := func(name string, p *int64, file string, f facts) {
		if p != nil && *p != 0 {
			list = append(list, setting{memoryField + name, file, number(*p), f})
		}
	}
	flag := func(name string, p *bool, file string, f facts) {
		if p != nil {
			list = append(list, setting{memoryField + name, file, map[bool]string{false: "0", true: "1"}[*p], f})
		}
	}
	if err := checkMemory(m); err != nil {
		return nil, err
	}
	flag("useHierarchy", m.UseHierarchy, "memory.use_hierarchy", hierarchyFacts)
	add("limit", m.Limit, "memory.limit_in_bytes", limitFacts)
	switch {
	case m.Swap != nil && *m.Swap == -1 && !d.exists("memory.memsw.limit_in_bytes"):
		// No limit asked, and none there.
	case m.Swap == nil && m.Limit != nil && *m.Limit == -1 && d.exists("memory.memsw.limit_in_bytes"):
		// Lifting the limit of memory lifts that of both: it could not be met otherwise.
		list = append(list, setting{memoryField + "limit", "memory.memsw.limit_in_bytes", "-1", swapFacts})
	default:
		add("swap", m.Swap, "memory.memsw.limit_in_bytes", swapFacts)
	}
	add("reservation", m.Reservation, "memory.soft_limit_in_bytes", nil)
	if m.Kernel != nil && *m.Kernel != -1 {
		add("kernel", m.Kernel, kernelLimit, kernelFacts)
	}
	if m.KernelTCP != nil && *m.KernelTCP != -1 {
		add("kernelTCP", m.KernelTCP, "memory.kmem.tcp.limit_in_bytes", kernelFacts)
	}
	if swaps(m) {
		list = append(list, setting{memoryField + "swappiness", "memory.swappiness", number(*m.Swappiness), nil})
	}
	flag("disableOOMKiller", m.DisableOOMKiller, "memory.oom_control", nil)
	return list, nil
}

// checkMemory refuses what no kernel takes.
func checkMemory(m *specs.LinuxMemory) error {
	if swaps(m) && *m.Swappiness > 100 {
		return unsupported(memoryField+"swappiness", *m.Swappiness, "must be from 0 to 100")
	}
	for _, l := range []struct {
		name  string
		bytes *int64
	}{{"limit", m.Limit}, {"swap", m.Swap}, {"reservation", m.Reservation}, {"kernel", m.Kernel}, {"kernelTCP", m.KernelTCP}} {
		if l.bytes != nil && *l.bytes < -1 {
			return unsupported(memoryField+l.name, *l.bytes, "must be a number of bytes, or -1 for no limit")
		}
	}
	return nil
}

// swaps says that a swappiness is asked for: Docker writes -1, as an unsigned
// number, where it is not to be changed.
func swaps(m *specs.LinuxMemory) bool {
	return m.Swappiness != nil && *m.Swappiness != math.MaxUint64
}

func memoryV2(r *specs.LinuxResources, d *dir) ([]setting, error) {
	m := r.Memory
	if m == nil {
		return nil, nil
	}
	if err := checkMemory(m); err != nil {
		return nil, err
	}
	if err := checkMemoryV2(m, d); err != nil {
		return nil, err
	}
	list, err := swapMax(m, d)
	if m.Limit != nil && *m.Limit != 0 {
		list = append(list, setting{memoryField + "limit", "memory.max", limit(*m.Limit), nil})
	}
	if m.Reservation != nil && *m.Reservation != 0 {
		list = append(list, setting{memoryField + "reservation", "memory.low", limit(*m.Reservation), nil})
	}
	return list, err
}

// checkMemoryV2 refuses what cgroup v2 cannot do. A value that only states
// what v2 does anyway is accepted: Docker always sends disableOOMKiller false.
func checkMemoryV2(m *specs.LinuxMemory, d *dir) error {
	limited := func(p *int64) bool { return p != nil && *p != 0 && *p != -1 }
	switch {
	case limited(m.Kernel):
		return unsupported(memoryField+"kernel", *m.Kernel, "cgroup v2 cannot limit kernel memory: the limit of all memory contains it")
	case limited(m.KernelTCP):
		return unsupported(memoryField+"kernelTCP", *m.KernelTCP, "cgroup v2 cannot limit TCP buffers: the limit of all memory contains them")
	case swaps(m):
		return unsupported(memoryField+"swappiness", *m.Swappiness, "cgroup v2 has no swappiness of a cgroup")
	case m.DisableOOMKiller != nil && *m.DisableOOMKiller:
		return unsupported(memoryField+"disableOOMKiller", true, "cgroup v2 cannot disable the OOM killer")
	case m.UseHierarchy != nil && !*m.UseHierarchy:
		return unsupported(memoryField+"useHierarchy", false, "cgroup v2 always accounts a cgroup's children with it")
	case m.CheckBeforeUpdate != nil && *m.CheckBeforeUpdate && limited(m.Limit):
		return checkUsage(*m.Limit, d)
	}
	return nil
}

// checkUsage does for linux.resources.memory.checkBeforeUpdate what the v1
// kernel does of itself: v2 would call the OOM killer instead.
func checkUsage(limit int64, d *dir) error {
	usage, err := d.readUint("memory.current")
	if err == nil && uint64(limit) < usage { //nolint:gosec // positive: checked by the caller
		return fmt.Errorf("%slimit (memory.max = %d): lower than the %d bytes in use, and checkBeforeUpdate is set: %w",
			memoryField, limit, usage, unix.EBUSY)
	}
	return nil
}

// swapMax turns linux.resources.memory.swap, a limit of memory and swap
// together, into v2's limit of swap alone.
func swapMax(m *specs.LinuxMemory, d *dir) ([]setting, error) {
	const file = "memory.swap.max"
	swap := func(value string) ([]setting, error) {
		if !d.exists(file) && (value == "max" || value == "0" && noSwap()) {
			return nil, nil // nothing to limit
		}
		return []setting{{memoryField + "swap", file, value, facts{unix.ENOENT: swapFacts[unix.ENOENT]}}}, nil
	}
	var memory int64
	if m.Limit != nil {
		memory = *m.Limit
	}
	switch {
	case m.Swap == nil && memory == -1, m.Swap != nil && *m.Swap == -1:
		return swap("max")
	case m.Swap == nil || *m.Swap == 0:
		return nil, nil
	case memory == 0: // the limit in force stays
		now, err := d.readUint("memory.max")
		if err == nil && now < 1<<63 {
			memory = int64(now) //nolint:gosec // just compared
		}
	}
	if memory <= 0 {
		return nil, unsupported(memoryField+"swap", *m.Swap, "needs linux.resources.memory.limit: cgroup v2 limits swap alone, which is the difference")
	}
	if *m.Swap < memory {
		return nil, unsupported(memoryField+"swap", *m.Swap, fmt.Sprintf("memory and swap together must not be less than the memory limit %d", memory))
	}
	return swap(number(*m.Swap - memory))
}

// noSwap says that the machine has no swap space, proc_swaps(5): a header and nothing else.
func noSwap() bool {
	text, err := os.ReadFile("/proc/swaps")
	return err != nil || strings.Count(string(text), "\n") <= 1
}
