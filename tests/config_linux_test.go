package tests

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What config-linux.md demands and no other file here is about.

// needV1 skips the test where cgroup v1 does not carry the resource controllers.
func needV1(t *testing.T) {
	t.Helper()
	if onV2() {
		t.Skip("this host is on cgroup v2")
	}
}

func TestUserNamespaceLeavesOwnersAlone(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	b := newBox(t, userNamespace(200000), runProbe("say", "ran"))
	b.check(os.Lchown(b.rootfs+"/home/user", 7, 8))
	dir := b.canary("source")
	b.edit(bind(dir, "ro"))
	owners := func() string {
		var text strings.Builder
		b.check(filepath.WalkDir(b.rootfs, func(path string, _ os.DirEntry, err error) error {
			var st unix.Stat_t
			if err == nil {
				err = unix.Lstat(path, &st)
			}
			fmt.Fprintf(&text, "%s %d:%d\n", path, st.Uid, st.Gid)
			return err
		}))
		return text.String()
	}
	b.wantOutput("ran") // makes what is missing
	before := owners()
	b.wantOutput("ran")
	if after := owners(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestFileInADevicesPlaceIsAnError(t *testing.T) {
	needRoot(t, "it mounts, makes devices or changes owners on the host")
	node := func(path string) edit {
		return func(s *specs.Spec) {
			s.Linux.Devices = []specs.LinuxDevice{{Path: path, Type: "c", Major: 1, Minor: 3}}
		}
	}
	for name, prepare := range map[string]func(b *box, path string) error{
		"file":           func(_ *box, path string) error { return os.WriteFile(path, nil, 0o644) },
		"directory":      func(_ *box, path string) error { return os.Mkdir(path, 0o755) },
		"another device": func(_ *box, path string) error { return unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 5))) },
		"another type":   func(_ *box, path string) error { return unix.Mknod(path, unix.S_IFBLK|0o600, int(unix.Mkdev(1, 3))) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, node("/var/node"))
			b.check(prepare(b, b.rootfs+"/var/node"))
			b.run().expect(b, 1, "linux.devices[0]", "/var/node")
			b.wantNothingLeft()
		})
	}
	b := newBox(t, node("/var/node"), runProbe("open", "/var/node", "+"))
	b.check(unix.Mknod(b.rootfs+"/var/node", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	b.wantOutput("open /var/node +: ok") // the device itself is no obstacle
}

func TestSameCgroupsPathIsTheSamePlace(t *testing.T) {
	for name, path := range map[string]string{"absolute": "/hull-tests/%s/leaf", "relative": "%s-relative"} {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(removeTestParents)
			b := newBox(t)
			if underSystemd {
				t.Skip("systemd names the directories")
			}
			b.edit(func(s *specs.Spec) {
				s.Linux.CgroupsPath = filepath.Join(map[bool]string{true: delegated()}[name == "absolute"], fmt.Sprintf(path, b.id))
			})
			first, second := b.report().Files["/proc/self/cgroup"], b.report().Files["/proc/self/cgroup"]
			if first != second || !strings.Contains(first, fmt.Sprintf(path, b.id)) {
				t.Errorf("the process was in\n%s\nand in\n%s", first, second)
			}
		})
	}
}

func TestRefusesCgroupsPathsThatLeadElsewhere(t *testing.T) {
	for _, path := range []string{"/..", "../x", "/a/../../b", "/"} {
		b := newBox(t, func(s *specs.Spec) { s.Linux.CgroupsPath = path })
		if underSystemd {
			t.Skip("the path is slice:prefix:name")
		}
		b.run().expect(b, 1, "linux.cgroupsPath")
		b.wantNothingLeft()
	}
}

func TestFrozenCgroupIsRefused(t *testing.T) {
	first := running(t)
	first.must("pause", first.id)
	b := newBox(t, func(s *specs.Spec) { s.Linux.CgroupsPath = first.spec.Linux.CgroupsPath })
	b.run().expect(b, 1, "linux.cgroupsPath")
	first.wantStatus("paused")
}

// withCgroupMount mounts the cgroup file system as the words say, in a cgroup namespace.
func withCgroupMount(words ...string) edit {
	return all(namespace(specs.CgroupNamespace, ""), mount("/sys/fs/cgroup", "cgroup", "cgroup", words...))
}

// ownersOfCgroup are who owns the box's cgroup directories, and the files in them that are not root's.
func (b *box) ownersOfCgroup() (dirs []uint32, files []string) {
	b.t.Helper()
	for _, dir := range b.cgroups() {
		var st syscall.Stat_t
		b.check(syscall.Stat(dir, &st))
		dirs = append(dirs, st.Uid)
		entries, err := os.ReadDir(dir)
		b.check(err)
		for _, e := range entries {
			b.check(syscall.Stat(filepath.Join(dir, e.Name()), &st))
			if st.Uid != 0 && !e.IsDir() {
				files = append(files, fmt.Sprintf("%s %d", e.Name(), st.Uid))
			}
		}
	}
	return dirs, files
}

func TestCgroupOfV1IsNeverGivenAway(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	needV1(t)
	b := newBox(t, userNamespace(200000), withCgroupMount(), runProbe("pause"))
	roots, err := hierarchies()
	b.check(err)
	b.start()
	for _, root := range roots {
		var st unix.Statfs_t
		b.check(unix.Statfs(root, &st))
		if st.Type == unix.CGROUP2_SUPER_MAGIC {
			continue // of a hybrid host: has no controllers to give away
		}
		var dir syscall.Stat_t
		if err := syscall.Stat(filepath.Join(root, cgroupBelow(b.spec.Linux.CgroupsPath)), &dir); err == nil && dir.Uid != 0 {
			t.Errorf("the cgroup in %s belongs to %d", root, dir.Uid)
		}
	}
}

func TestCgroupOfV2IsGivenToWhoMayManageIt(t *testing.T) {
	needRoot(t, "it maps ids that are not this user's")
	needV2(t)
	for name, c := range map[string]struct {
		edit edit
		want uint32
	}{
		"own namespace, writable":  {withCgroupMount(), 200000},
		"another user of it":       {all(withCgroupMount(), user(1000, 1000)), 201000},
		"own namespace, read-only": {withCgroupMount("ro"), 0},
		"own namespace, no mount":  {namespace(specs.CgroupNamespace, ""), 0},
		"the host's namespace":     {mount("/sys/fs/cgroup", "cgroup", "cgroup"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, userNamespace(200000), c.edit, runProbe("pause"))
			b.start()
			dirs, files := b.ownersOfCgroup()
			for _, uid := range dirs {
				if uid != c.want {
					t.Errorf("the cgroup belongs to %d, want %d", uid, c.want)
				}
			}
			listed := "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n"
			if text, err := os.ReadFile("/sys/kernel/cgroup/delegate"); err == nil {
				listed = string(text)
			}
			for _, file := range files {
				if name, _, _ := strings.Cut(file, " "); !strings.Contains("\n"+listed, "\n"+name+"\n") {
					t.Errorf("%s is not for delegation", file)
				}
			}
			if c.want != 0 && len(files) < 3 {
				t.Errorf("of the files only %v were given away", files)
			}
		})
	}
}

func TestLimitBelowTheUseIsRefusedIfAsked(t *testing.T) {
	b := newBox(t, resources(func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Limit: new(int64(64 << 20))} }),
		runProbe("alloc", "20000000", ",", "pause"))
	b.start().want("allocated 20000000")
	data, err := json.Marshal(specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(4 << 20)), CheckBeforeUpdate: new(true)}})
	b.check(err)
	b.refuse(1, []string{"memory", "4194304", "busy"}, "update", "--resources", b.file("lower.json", string(data)), b.id)
	b.wantStatus("running")
	b.wantFileOf("memory.limit_in_bytes", fmt.Sprint(64<<20), "memory.max", fmt.Sprint(64<<20))
}

func TestBurstAboveTheQuotaIsRefused(t *testing.T) {
	b := newBox(t, resources(func(r *specs.LinuxResources) {
		r.CPU = &specs.LinuxCPU{Quota: new(int64(20000)), Burst: new(uint64(30000))}
	}))
	b.run().expect(b, 1, "linux.resources.cpu.burst", "30000", "20000")
	b.wantNothingLeft()
}

func TestPidsLimitOfZeroIsALimit(t *testing.T) {
	b := newBox(t, runProbe("say", "ready", ",", "line", ",", "fork", "1"), resources(func(r *specs.LinuxResources) { r.Pids = &specs.LinuxPids{Limit: new(int64(0))} }))
	l := b.start()
	l.want("ready")
	b.wantFile("pids.max", "0")
	if _, err := l.stdin.WriteString("on\n"); err != nil {
		t.Fatal(err)
	}
	l.want("line on", "forked 0", "fork 1: EAGAIN")
}

// Members that the specification calls REQUIRED, where leaving them out would mean 0.
func TestRequiredResourceMembersAreMissed(t *testing.T) {
	for text, want := range map[string]string{
		`"blockIO": {"weightDevice": [{"minor": 0, "weight": 10}]}`:             "linux.resources.blockIO.weightDevice[0].major",
		`"blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}`:               "linux.resources.blockIO.weightDevice[0]: must have weight or leafWeight",
		`"blockIO": {"throttleReadBpsDevice": [{"major": 8, "rate": 1}]}`:       "linux.resources.blockIO.throttleReadBpsDevice[0].minor",
		`"blockIO": {"throttleWriteBpsDevice": [{"major": 8, "minor": 0}]}`:     "linux.resources.blockIO.throttleWriteBpsDevice[0].rate",
		`"blockIO": {"throttleReadIOPSDevice": [{"minor": 1, "rate": 1}]}`:      "linux.resources.blockIO.throttleReadIOPSDevice[0].major",
		`"blockIO": {"throttleWriteIOPSDevice": [{"major": 8, "minor": 0}]}`:    "linux.resources.blockIO.throttleWriteIOPSDevice[0].rate",
		`"hugepageLimits": [{"limit": 1}]`:                                      "linux.resources.hugepageLimits[0].pageSize",
		`"hugepageLimits": [{"pageSize": "2MB"}]`:                               "linux.resources.hugepageLimits[0].limit",
		`"network": {"priorities": [{"priority": 1}]}`:                          "linux.resources.network.priorities[0].name",
		`"network": {"priorities": [{"name": "lo"}]}`:                           "linux.resources.network.priorities[0].priority",
		`"rdma": {"mlx5_1": {}}`:                                                "linux.resources.rdma.mlx5_1: must have hcaHandles or hcaObjects",
		`"devices": [{"access": "r", "allow": 1}]`:                              "linux.resources.devices[0].allow",
		`"hugepageLimits": [{"pageSize": "2M", "limit": 1}]`:                    "linux.resources.hugepageLimits[0].pageSize",
		`"unified": {"a/b": "1"}`:                                               "linux.resources.unified",
		`"pids": {"limit": -2}`:                                                 "linux.resources.pids.limit",
		`"memory": {"swappiness": 101}`:                                         "linux.resources.memory.swappiness",
		`"cpu": {"idle": 2}`:                                                    "linux.resources.cpu.idle",
		`"cpu": {"realtimePeriod": 10, "realtimeRuntime": 11, "quota": 100000}`: "linux.resources.cpu.realtimeRuntime",
	} {
		b := newBox(t)
		config := b.read(filepath.Join(b.bundle, "config.json"))
		b.writeConfig(strings.Replace(config, `"resources": {}`, `"resources": {`+text+`}`, 1))
		b.run().expect(b, 1, want)
		b.wantNothingLeft()
	}
}

// unifiedFiles sets files of cgroup v2 by their names.
func unifiedFiles(files map[string]string) edit {
	return resources(func(r *specs.LinuxResources) { r.Unified = files })
}

func TestUnifiedFilesAreWritten(t *testing.T) {
	needV2(t)
	b := newBox(t, unifiedFiles(map[string]string{"memory.high": "33554432", "pids.max": "77", "cgroup.max.depth": "5"}), runProbe("pause"))
	b.create()
	b.wantFile("memory.high", "33554432")
	b.wantFile("pids.max", "77")
	b.wantFile("cgroup.max.depth", "5") // no field of the configuration has it
}

func TestUnifiedEnablesTheControllers(t *testing.T) {
	needV2(t)
	t.Cleanup(removeTestParents)
	b := newBox(t, unifiedFiles(map[string]string{"memory.high": "33554432"}), runProbe("pause"))
	if !underSystemd {
		b.edit(func(s *specs.Spec) {
			s.Linux.CgroupsPath = filepath.Join("/", delegated(), "hull-tests", b.id, "deep/leaf")
		})
	}
	b.create()
	b.wantFile("memory.high", "33554432")
}

func TestUnifiedFilesThatAreNotThereAreRefused(t *testing.T) {
	needV2(t)
	for file, words := range map[string][]string{
		"nosuch.max":    {"linux.resources.unified", "nosuch"},
		"memory.nosuch": {"linux.resources.unified", "memory.nosuch", "no such file or directory"},
	} {
		b := newBox(t, unifiedFiles(map[string]string{file: "1"}))
		b.run().expect(b, 1, words...)
		b.wantNothingLeft()
	}
}

func TestUnifiedIsRefusedOnV1(t *testing.T) {
	needV1(t)
	b := newBox(t, unifiedFiles(map[string]string{"memory.high": "1"}))
	b.run().expect(b, 1, "linux.resources.unified", "cgroup v2 only")
	b.wantNothingLeft()
}

// What cannot be said in the words of v2 is an error, not silence.
func TestLimitsThatV2DoesNotHaveAreRefused(t *testing.T) {
	needV2(t)
	for field, change := range map[string]func(*specs.LinuxResources){
		"memory.kernelTCP":        func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{KernelTCP: new(int64(1 << 20))} },
		"memory.swappiness":       func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Swappiness: new(uint64(10))} },
		"memory.disableOOMKiller": func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{DisableOOMKiller: new(true)} },
		"cpu.realtimeRuntime":     func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{RealtimeRuntime: new(int64(1000))} },
		"network.classID":         func(r *specs.LinuxResources) { r.Network = &specs.LinuxNetwork{ClassID: new(uint32(7))} },
		"network.priorities": func(r *specs.LinuxResources) {
			r.Network = &specs.LinuxNetwork{Priorities: []specs.LinuxInterfacePriority{{Name: "lo", Priority: 3}}}
		},
		"blockIO.leafWeight": func(r *specs.LinuxResources) { r.BlockIO = &specs.LinuxBlockIO{LeafWeight: new(uint16(100))} },
	} {
		t.Run(field, func(t *testing.T) {
			b := newBox(t, resources(change))
			b.run().expect(b, 1, "linux.resources."+field)
			b.wantNothingLeft()
		})
	}
}

func TestPathsHaveToBeAbsolute(t *testing.T) {
	for field, change := range map[string]edit{
		"linux.readonlyPaths[0]": func(s *specs.Spec) { s.Linux.ReadonlyPaths = []string{"etc"} },
		"linux.maskedPaths[1]":   func(s *specs.Spec) { s.Linux.MaskedPaths = []string{"/etc", "proc/kcore"} },
	} {
		b := newBox(t, change)
		b.run().expect(b, 1, field, "absolute")
		b.wantNothingLeft()
	}
}

func TestIntelRdtSchemasAreChecked(t *testing.T) {
	for want, r := range map[string]specs.LinuxIntelRdt{
		"linux.intelRdt.l3CacheSchema": {L3CacheSchema: "L3:0=f\nMB:0=1"},
		"linux.intelRdt.memBwSchema":   {MemBwSchema: "MB:0=1\nx"},
		"linux.intelRdt.schemata[1]":   {Schemata: []string{"L3:0=f", "a\nb"}},
		"linux.intelRdt.memBwSchema (": {MemBwSchema: "L3:0=f"},
	} {
		b := newBox(t, func(s *specs.Spec) { s.Linux.IntelRdt = &r })
		b.run().expect(b, 1, want)
		b.wantNothingLeft()
	}
}

func TestMetadataNeedsAListener(t *testing.T) {
	b := newBox(t, seccomp(rule(specs.ActErrno, "mkdir")), profile(func(p *specs.LinuxSeccomp) { p.ListenerMetadata = "x" }))
	b.run().expect(b, 1, "linux.seccomp.listenerMetadata", "listenerPath")
	b.wantNothingLeft()
}

func TestListenerThatIsNotNeededIsIgnored(t *testing.T) {
	b := newBox(t, seccomp(rule(specs.ActErrno, makesDirectories...)), runProbe("mkdir", "/x"),
		profile(func(p *specs.LinuxSeccomp) { p.ListenerPath, p.ListenerMetadata = "/no/such/agent", "x" }))
	b.wantOutput("mkdir /x: EPERM")
}

func TestSeccompAgentGetsOneStateAndTheEnd(t *testing.T) {
	needFloor(t)
	needListener(t)
	b := newBox(t, seccomp(rule(specs.ActNotify, makesDirectories...)), runProbe("pause"))
	listener := b.listen("agent")
	b.edit(profile(func(p *specs.LinuxSeccomp) { p.ListenerPath = b.path("agent") }))
	l := b.live("run", "--bundle", b.bundle, b.id)
	conn, err := listener.AcceptUnix()
	b.check(err)
	defer conn.Close()
	b.check(conn.SetDeadline(time.Now().Add(patience)))
	text, oob := make([]byte, 1<<16), make([]byte, 256)
	n, oobn, _, _, err := conn.ReadMsgUnix(text, oob)
	b.check(err)
	rest, err := io.ReadAll(conn) // ends when hull closes its side
	b.check(err)
	msgs, err := unix.ParseSocketControlMessage(oob[:oobn])
	b.check(err)
	fds, err := unix.ParseUnixRights(&msgs[0])
	b.check(err)
	for _, fd := range fds {
		unix.Close(fd)
	}
	var s specs.ContainerProcessState
	if err := json.Unmarshal(append(text[:n], rest...), &s); err != nil || len(msgs) != 1 || len(fds) != 1 {
		t.Errorf("%v: %q, then %q, with %d descriptors", err, text[:n], rest, len(fds))
	}
	if s.Version != specs.Version || s.State.Version != specs.Version || s.State.Status == "" || s.Pid != s.State.Pid {
		t.Errorf("the state is %+v", s)
	}
	b.must("kill", b.id, "KILL")
	l.wait()
}
