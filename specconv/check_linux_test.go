package specconv

import (
	"fmt"
	"strings"
	"testing"
)

func TestReportsNamespaces(t *testing.T) {
	runBroken(t, Host{}, []broken{
		{`{"linux": {"namespaces": [{"type": "net"}]}}`, []string{
			`linux.namespaces[0].type ("net"): is not a type of namespace; known values: mount, uts, ipc, pid, network, user, cgroup, time`,
		}},
		{`{"linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "pid", "path": "/x"}]}}`, []string{
			`linux.namespaces[2].type ("pid"): is given twice: by linux.namespaces[0] too`,
		}},
		{`{"linux": {"namespaces": [{"type": "pid", "path": "proc/1/ns/pid"}]}}`, []string{
			`linux.namespaces[0].path ("proc/1/ns/pid"): must be an absolute path`,
		}},
		{`{"linux": {"namespaces": [], "maskedPaths": ["/a"], "readonlyPaths": ["/b"]}}`, []string{
			`linux.maskedPaths: would change the host, for the container has no mount namespace; add {"type": "mount"} to linux.namespaces`,
			`linux.readonlyPaths: would change the host, for the container has no mount namespace; add {"type": "mount"} to linux.namespaces`,
		}},
		{`{"linux": {"namespaces": [{"type": "user"}]}}`, []string{
			"linux.gidMappings: is missing or empty: no id would exist in the new user namespace",
			"linux.uidMappings: is missing or empty: no id would exist in the new user namespace",
		}},
		{`{"linux": {"uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]}}`, []string{
			`linux.uidMappings: has no effect without a user namespace; add {"type": "user"} to linux.namespaces`,
		}},
		{`{"linux": null}`, nil},
	})
	runBroken(t, Host{Rootless: true}, []broken{
		{`{}`, []string{
			"linux.namespaces: there is no user namespace, which is needed unless hull runs as root; " +
				"add {\"type\": \"user\"} to linux.namespaces, or start from `hull spec --rootless`",
		}},
	})
}

func TestReportsIdMappings(t *testing.T) {
	mapping := func(entries string) string {
		return `{"linux": {"namespaces": [{"type": "user"}], "gidMappings": [{"containerID": 0, "hostID": 0, "size": 1}],
			"uidMappings": [` + entries + `]}}`
	}
	var many []string
	for i := range 341 {
		many = append(many, fmt.Sprintf(`{"containerID": %d, "hostID": %d, "size": 1}`, i, i))
	}
	runBroken(t, Host{}, []broken{
		{mapping(`{"containerID": 0, "hostID": 5, "size": 0}`), []string{
			"linux.uidMappings[0].size (0): must not be 0",
			"process.user.uid (0): is not mapped in the user namespace: linux.uidMappings has 0",
		}},
		{mapping(`{"containerID": 0, "size": 1}`), []string{"linux.uidMappings[0].hostID: is missing, and is REQUIRED by the spec"}},
		{mapping(`{"hostID": 0, "size": 1}`), []string{"linux.uidMappings[0].containerID: is missing, and is REQUIRED by the spec"}},
		{mapping(`{"containerID": 0, "hostID": 4294967290, "size": 5}`), nil},
		{mapping(`{"containerID": 0, "hostID": 4294967290, "size": 6}`), []string{
			"linux.uidMappings[0].hostID (4294967290): with the size 6, the range ends after the last id, 4294967294",
		}},
		{mapping(`{"containerID": 0, "hostID": 5, "size": 10}, {"containerID": 9, "hostID": 100, "size": 10}`), []string{
			"linux.uidMappings[1].containerID (9): the range overlaps that of linux.uidMappings[0]",
		}},
		{mapping(`{"containerID": 0, "hostID": 5, "size": 10}, {"containerID": 10, "hostID": 0, "size": 6}`), []string{
			"linux.uidMappings[1].hostID (0): the range overlaps that of linux.uidMappings[0]",
		}},
		{mapping(strings.Join(many, ",")), []string{"linux.uidMappings (341): has more than 340 entries"}},
	})
}

func TestReportsTimeOffsets(t *testing.T) {
	const ns = `"namespaces": [{"type": "mount"}, {"type": "time"}]`
	runBroken(t, Host{}, []broken{
		{`{"linux": {` + ns + `, "timeOffsets": {"monotonic": {"secs": -5, "nanosecs": 999999999}, "boottime": {}}}}`, nil},
		{`{"linux": {"timeOffsets": {"monotonic": {"secs": 1}}}}`, []string{
			`linux.timeOffsets: has no effect without a time namespace; add {"type": "time"} to linux.namespaces`,
		}},
		{`{"linux": {"namespaces": [{"type": "time", "path": "/t"}], "timeOffsets": {"monotonic": {"secs": 1}}}}`, []string{
			"linux.timeOffsets: cannot be set in a time namespace that is joined: /t",
		}},
		{`{"linux": {` + ns + `, "timeOffsets": {"realtime": {"secs": 1, "nanosecs": 1000000000}}}}`, []string{
			"linux.timeOffsets.realtime: is not a clock with an offset; known values: monotonic, boottime",
			"linux.timeOffsets.realtime.nanosecs (1000000000): is a second or more",
		}},
		{`{"linux": {` + ns + `, "timeOffsets": {"boottime": {"secs": 4611686019}}}}`, []string{
			"linux.timeOffsets.boottime.secs (4611686019): is more than the 4611686018 seconds that Linux can count",
		}},
	})
}

func TestReportsDevices(t *testing.T) {
	runBroken(t, Host{}, []broken{
		{`{"linux": {"devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 8630}, {"path": "/p", "type": "p"}]}}`, nil},
		{`{"linux": {"devices": [{"path": "/dev/a", "type": "b", "major": 8, "minor": 0}]}}`, nil},
		{`{"linux": {"devices": [{"path": "/dev/a", "type": "b", "major": 8}]}}`, []string{
			"linux.devices[0].minor: is missing, and is REQUIRED by the spec",
		}},
		{`{"linux": {"devices": [{"path": "dev/a", "type": "x", "major": 4096, "minor": -1}]}}`, []string{
			"linux.devices[0].major (4096): must be between 0 and 4095",
			"linux.devices[0].minor (-1): must be between 0 and 1048575",
			`linux.devices[0].path ("dev/a"): must be an absolute path`,
			`linux.devices[0].type ("x"): is not a type of device; known values: c, u, b, p`,
		}},
		{`{"linux": {"devices": [{"path": "/a", "type": "p"}, {"path": "/a", "type": "p", "fileMode": 131072, "uid": 4294967295}]}}`, []string{
			"linux.devices[1].fileMode (131072): is more than 4095, which is 07777 in octal",
			`linux.devices[1].path ("/a"): is given twice: by linux.devices[0] too`,
			`linux.devices[1].uid (4294967295): is no id: the kernel takes it for "do not change"`,
		}},
	})
}

func TestReportsNetDevices(t *testing.T) {
	const ns = `"namespaces": [{"type": "mount"}, {"type": "network"}]`
	runBroken(t, Host{}, []broken{
		{`{"linux": {` + ns + `, "netDevices": {"eth0": {}, "eth1": {"name": "c%d"}, "eth2": {"name": "c%d"}, "eth3": {"name": "%d"}}}}`, nil},
		{`{"linux": {"netDevices": {"eth0": {}}}}`, []string{
			`linux.netDevices: the container has no network namespace to move them to; add {"type": "network"} to linux.namespaces`,
		}},
		{`{"linux": {` + ns + `, "netDevices": {"a/b": {}, "eth0": {"name": "sixteen-letters-"}, "eth1": {"name": "a b"}, "eth2": {"name": ".."}}}}`, []string{
			`linux.netDevices["a/b"]: the name of the network device must not contain slashes, colons, spaces or control characters`,
			`linux.netDevices.eth0.name ("sixteen-letters-"): is longer than 15 bytes`,
			`linux.netDevices.eth1.name ("a b"): must not contain slashes, colons, spaces or control characters`,
			`linux.netDevices.eth2.name (".."): must not be . or ..`,
		}},
		{`{"linux": {` + ns + `, "netDevices": {"eth0": {"name": "a%d%d"}, "eth1": {"name": "a%s"}}}}`, []string{
			`linux.netDevices.eth0.name ("a%d%d"): may contain a % only in one %d, which makes it a template`,
			`linux.netDevices.eth1.name ("a%s"): may contain a % only in one %d, which makes it a template`,
		}},
		{`{"linux": {` + ns + `, "netDevices": {"eth0": {"name": "eth1"}, "eth1": {}}}}`, []string{
			`linux.netDevices.eth1 ("eth1"): is to be the name of linux.netDevices.eth0 too`,
		}},
	})
}

func TestReportsOtherLinuxMembers(t *testing.T) {
	runBroken(t, Host{}, []broken{
		{`{"linux": {"cgroupsPath": "a\nb"}}`, []string{`linux.cgroupsPath ("a\nb"): must not contain a line break`}},
		{`{"linux": {"cgroupsPath": "system.slice:runc:id"}}`, nil},
		{`{"linux": {"rootfsPropagation": "rslave"}}`, nil},
		{`{"linux": {"rootfsPropagation": "shraed"}}`, []string{
			`linux.rootfsPropagation ("shraed"): is not a mount propagation; known values: shared, slave, private, unbindable, ` +
				`rshared, rslave, rprivate, runbindable`,
		}},
		{`{"linux": {"maskedPaths": ["/ok", "proc/kcore"], "readonlyPaths": [""]}}`, []string{
			`linux.maskedPaths[1] ("proc/kcore"): must be an absolute path`,
			"linux.readonlyPaths[0]: is missing or empty",
		}},
		{`{"linux": {"mountLabel": "a\",exec,b=\""}}`, []string{
			`linux.mountLabel ("a\",exec,b=\""): must not contain control characters or quotes`,
		}},
		{`{"linux": {"personality": {"domain": "BSD", "flags": ["ADDR_NO_RANDOMIZE"]}}}`, []string{
			`linux.personality.domain ("BSD"): is not an execution domain; known values: LINUX, LINUX32`,
			`linux.personality.flags[0] ("ADDR_NO_RANDOMIZE"): is not a flag that the spec knows; it knows none`,
		}},
		{`{"linux": {"intelRdt": {"closID": "a/b", "l3CacheSchema": "L3:0=f\nL3:1=f", "memBwSchema": "L3:0=f", "schemata": ["a", "b\n"]}}}`, []string{
			`linux.intelRdt.closID ("a/b"): must be a name, without slashes and line breaks, or / alone`,
			`linux.intelRdt.l3CacheSchema ("L3:0=f\nL3:1=f"): must not contain a line break`,
			`linux.intelRdt.memBwSchema ("L3:0=f"): must start with MB:`,
			`linux.intelRdt.schemata[1] ("b\n"): must not contain a line break`,
		}},
		{`{"linux": {"intelRdt": {"closID": "info"}}}`, []string{
			`linux.intelRdt.closID ("info"): is not a name for a class of service: resctrl uses it otherwise`,
		}},
		{`{"linux": {"intelRdt": {"closID": "/"}}}`, nil},
	})
	runBroken(t, Host{Systemd: true}, []broken{
		{`{"linux": {"cgroupsPath": "/a/b"}}`, []string{
			`linux.cgroupsPath ("/a/b"): must have the form slice:prefix:name, for cgroups are made by systemd; a path is for --systemd-cgroup=false`,
		}},
		{`{"linux": {"cgroupsPath": "system:p:n"}}`, []string{
			`linux.cgroupsPath ("system:p:n"): the part before the first colon must be a slice, as in system.slice, or empty`,
		}},
		{`{"linux": {"cgroupsPath": "system.slice:p:n/m"}}`, []string{
			`linux.cgroupsPath ("system.slice:p:n/m"): names of units must not contain slashes`,
		}},
		{`{"linux": {"cgroupsPath": ":p:n"}}`, nil},
		{`{"linux": {"cgroupsPath": "-:p:n"}}`, nil},
		{`{"linux": {"cgroupsPath": ""}}`, nil},
	})
}

func TestReportsTheMemoryPolicy(t *testing.T) {
	runBroken(t, Host{}, []broken{
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_NUMA_BALANCING"]}}}`, nil},
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_X", "nodes": "0"}}}`, []string{
			`linux.memoryPolicy.mode ("MPOL_X"): is not a memory policy; known values: MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, ` +
				`MPOL_INTERLEAVE, MPOL_LOCAL, MPOL_PREFERRED_MANY, MPOL_WEIGHTED_INTERLEAVE`,
		}},
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_X"]}}}`, []string{
			`linux.memoryPolicy.flags[0] ("MPOL_F_X"): is not a flag of a memory policy; known values: MPOL_F_NUMA_BALANCING, ` +
				`MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES`,
		}},
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_DEFAULT", "nodes": "0"}}}`, []string{`linux.memoryPolicy.nodes ("0"): must be empty with MPOL_DEFAULT`}},
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_INTERLEAVE"}}}`, []string{"linux.memoryPolicy.nodes: must name a node with MPOL_INTERLEAVE"}},
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_PREFERRED"}}}`, nil},
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_PREFERRED", "flags": ["MPOL_F_STATIC_NODES"]}}}`, []string{
			"linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES need nodes",
		}},
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "1", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}}}`, []string{
			"linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other",
		}},
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_LOCAL", "flags": ["MPOL_F_NUMA_BALANCING"]}}}`, []string{
			"linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING goes only with MPOL_BIND and MPOL_PREFERRED_MANY",
		}},
		{`{"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "1024"}}}`, []string{
			`linux.memoryPolicy.nodes ("1024"): 1024 is more than 1023, the largest number that Linux has`,
		}},
	})
}

func TestReportsHooks(t *testing.T) {
	runBroken(t, Host{}, []broken{
		{`{"hooks": {"poststop": [{"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 1}]}}`, nil},
		{`{"hooks": {"prestart": [{"path": "x"}], "createRuntime": [{"path": ""}], "createContainer": [{"path": "/x", "timeout": 0}],
			"startContainer": [{"path": "/x"}, {"path": "/x", "timeout": -1}], "poststart": [{"path": "/x", "env": ["A"]}]}}`, []string{
			"hooks.createContainer[0].timeout (0): must be greater than zero; without a timeout hull waits",
			"hooks.createRuntime[0].path: is missing or empty",
			`hooks.poststart[0].env[0] ("A"): must have the form NAME=value`,
			`hooks.prestart[0].path ("x"): must be an absolute path`,
			"hooks.startContainer[1].timeout (-1): must be greater than zero; without a timeout hull waits",
		}},
	})
}

func TestReportsMounts(t *testing.T) {
	runBroken(t, Host{}, []broken{
		{`{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "size=5"]}]}`, []string{
			`mounts[0].options[1] ("size=5"): bind mounts cannot have any filesystem-specific options applied; known values: ` +
				strings.Join(MountOptions(), ", "),
		}},
		{`{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "idmap"]}]}`, []string{
			"mounts[0]: is to be mapped, but has no uidMappings and gidMappings, and there is no user namespace to take them from",
		}},
		{`{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "idmap"],
			"uidMappings": [{"containerID": 0, "hostID": 1, "size": 0}], "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}]}`, []string{
			"mounts[0].uidMappings[0].size (0): must not be 0",
		}},
		{`{"mounts": [{"destination": "a", "source": "/b", "options": ["bind"]}]}`, nil}, // a warning
	})
}
