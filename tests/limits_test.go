package tests

import (
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestPidsLimitOfOneIsEnoughForOneProcess(t *testing.T) {
	for name, edits := range map[string][]edit{"plain": nil, "user namespace": {userNamespace(200000)}} { // that takes a fork
		t.Run(name, func(t *testing.T) {
			if edits != nil {
				needRoot(t, "it maps ids that are not this user's")
			}
			b := newBox(t, append(edits, resources(func(r *specs.LinuxResources) { r.Pids = &specs.LinuxPids{Limit: new(int64(1))} }),
				runProbe("say", "alone", ",", "fork", "1"))...)
			b.wantOutput("alone", "forked 0", "fork 1: EAGAIN")
		})
	}
}

func TestPidsLimitIsInForce(t *testing.T) {
	b := newBox(t, resources(func(r *specs.LinuxResources) { r.Pids = &specs.LinuxPids{Limit: new(int64(4))} }), runProbe("fork", "3", ",", "fork", "1"))
	b.wantOutput("forked 3", "forked 0", "fork 1: EAGAIN")
}

func TestMemoryLimitEndsAProcessThatTakesMore(t *testing.T) {
	b := newBox(t, resources(func(r *specs.LinuxResources) {
		r.Memory = &specs.LinuxMemory{Limit: new(int64(16 << 20)), Swap: new(int64(16 << 20))}
	}), runProbe("alloc", "4000000", ",", "alloc", "64000000"))
	r := b.run()
	if r.code != 137 || r.stdout != "allocated 4000000\n" {
		t.Errorf("want the second allocation to be fatal: %s", r)
	}
}

func TestTinyMemoryLimitIsEnoughForATinyProgram(t *testing.T) {
	b := newBox(t, resources(func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Limit: new(int64(1 << 20))} }), runProbe("say", "small"))
	b.wantOutput("small")
}

func TestProgramThatDoesNotFitIntoItsMemoryIsReported(t *testing.T) {
	b := newBox(t, resources(func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Limit: new(int64(4096))} }), runProbe("say", "small"))
	b.run().expect(b, 1, "linux.resources.memory.limit", "memory")
	b.wantNothingLeft()
}

func TestCPUSetLimitsTheProcessorsOfTheProcess(t *testing.T) {
	r := newBox(t, resources(func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Cpus: "0", Mems: "0"} })).report()
	if !slices.Equal(r.CPUs, []int{0}) {
		t.Errorf("the process may use the processors %v", r.CPUs)
	}
}

func TestImpossibleValuesNameTheFieldTheFileAndTheErrno(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*specs.LinuxResources)
		words  []string
	}{
		"cpus that are not there": {func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Cpus: "4000"} }, []string{"linux.resources.cpu.cpus", "4000"}},
		"quota too small":         {func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Quota: new(int64(5))} }, []string{"linux.resources.cpu.quota", "5", "invalid argument"}},
		"swap below memory": {func(r *specs.LinuxResources) {
			r.Memory = &specs.LinuxMemory{Limit: new(int64(32 << 20)), Swap: new(int64(16 << 20))}
		}, []string{"linux.resources.memory.swap"}},
		"unified": {func(r *specs.LinuxResources) { r.Unified = map[string]string{"memory.high": "little"} }, []string{"linux.resources.unified"}},
		"weight":  {func(r *specs.LinuxResources) { r.BlockIO = &specs.LinuxBlockIO{Weight: new(uint16(5))} }, []string{"linux.resources.blockIO.weight", "5"}},
		"no such page": {func(r *specs.LinuxResources) {
			r.HugepageLimits = []specs.LinuxHugepageLimit{{Pagesize: "3KB", Limit: 1}}
		}, []string{"linux.resources.hugepageLimits[0]", "3KB"}},
		"device letter": {func(r *specs.LinuxResources) { r.Devices = []specs.LinuxDeviceCgroup{{Type: "z", Access: "rwm"}} }, []string{"linux.resources.devices[0].type", `"z"`}},
		"device access": {func(r *specs.LinuxResources) { r.Devices = []specs.LinuxDeviceCgroup{{Type: "c", Access: "rwx"}} }, []string{"linux.resources.devices[0].access", "rwx"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, resources(c.change))
			b.run().expect(b, 1, c.words...)
			b.wantNothingLeft()
		})
	}
}
