package specconv

import "testing"

func TestSysctlHasOneNormalForm(t *testing.T) {
	for key, want := range map[string]string{
		"net.ipv4.ip_forward":             "net/ipv4/ip_forward",
		"net/ipv4/ip_forward":             "net/ipv4/ip_forward",
		"net.ipv4.conf.eth0/1.forwarding": "net/ipv4/conf/eth0.1/forwarding",
		"net/ipv4/conf/eth0.1/forwarding": "net/ipv4/conf/eth0.1/forwarding",
		"kernel.shmmax":                   "kernel/shmmax",
		"fs.mqueue.msg_max":               "fs/mqueue/msg_max",
		"plain":                           "plain",
		"net.//.//.//kernel.core_pattern": "",
		"net/../kernel/core_pattern":      "",
		"kernel.shm_rmid_forced/../x":     "", // kernel/shm_rmid_forced.//.x
		"kernel/shm_rmid_forced/../x":     "",
		"fs.mqueue./../../kernel/x":       "",
		"net..ipv4":                       "",
		".net.ipv4":                       "",
		"/net/ipv4":                       "",
		"net.ipv4.":                       "",
		"net/./ipv4":                      "",
		"net.///.ipv4":                    "net/.../ipv4",
		"net.ipv4.a b":                    "",
		"net.ipv4.a\x00b":                 "",
		"net.ipv4.a\nb":                   "",
		"":                                "",
	} {
		got, err := Sysctl(key)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", key, got, err, want)
		}
	}
}

func TestReportsSysctls(t *testing.T) {
	const all = `"namespaces": [{"type": "ipc"}, {"type": "network"}, {"type": "uts"}, {"type": "user", "path": "/u"}]`
	const host = "is not a sysctl of a namespace: it would change the host; allowed are net.*, fs.mqueue.*, user.*, " +
		"kernel.domainname, kernel.sem*, kernel.shm* and kernel.msg*"
	runBroken(t, Host{}, []broken{
		{`{"linux": {` + all + `, "sysctl": {"net.ipv4.ip_forward": "1\n", "kernel/shmmax": "1", "fs.mqueue.msg_max": "1", "user.max_mnt_namespaces": "1",
			"kernel.domainname": "x", "kernel.sem_next_id": "1"}}}`, nil},
		{`{"linux": {"sysctl": {"net.core.somaxconn": "1", "kernel.sem": "1", "fs/mqueue/msg_max": "1", "kernel.domainname": "x", "user.max_x": "1"}}}`, []string{
			`linux.sysctl["fs/mqueue/msg_max"] ("1"): would change the host, for the container has no ipc namespace; add {"type": "ipc"} to linux.namespaces`,
			`linux.sysctl["kernel.domainname"] ("x"): would change the host, for the container has no uts namespace; add {"type": "uts"} to linux.namespaces`,
			`linux.sysctl["kernel.sem"] ("1"): would change the host, for the container has no ipc namespace; add {"type": "ipc"} to linux.namespaces`,
			`linux.sysctl["net.core.somaxconn"] ("1"): would change the host, for the container has no network namespace; add {"type": "network"} to linux.namespaces`,
			`linux.sysctl["user.max_x"] ("1"): would change the host, for the container has no user namespace; add {"type": "user"} to linux.namespaces`,
		}},
		{`{"linux": {` + all + `, "sysctl": {"vm.swappiness": "1", "kernel.core_pattern": "x", "net": "1", "kernel.shmmax.x": "1", "fs.mqueuex": "1"}}}`, []string{
			`linux.sysctl["fs.mqueuex"] ("1"): ` + host,
			`linux.sysctl["kernel.core_pattern"] ("x"): ` + host,
			`linux.sysctl["kernel.shmmax.x"] ("1"): ` + host,
			`linux.sysctl.net ("1"): ` + host,
			`linux.sysctl["vm.swappiness"] ("1"): ` + host,
		}},
		{`{"linux": {` + all + `, "sysctl": {"kernel.hostname": "x"}}}`, []string{
			`linux.sysctl["kernel.hostname"] ("x"): must not be set here; use the member hostname`,
		}},
		{`{"domainname": "y", "linux": {` + all + `, "sysctl": {"kernel.domainname": "x"}}}`, []string{
			`linux.sysctl["kernel.domainname"] ("x"): is set by the member domainname too; leave out one of them`,
		}},
		{`{"linux": {` + all + `, "sysctl": {"net.ipv4.ip_forward": "1", "net/ipv4/ip_forward": "0"}}}`, []string{
			`linux.sysctl["net/ipv4/ip_forward"] ("0"): is the same sysctl as linux.sysctl["net.ipv4.ip_forward"]`,
		}},
		{`{"linux": {` + all + `, "sysctl": {"net.//.//.//kernel.core_pattern": "x"}}}`, []string{
			`linux.sysctl["net.//.//.//kernel.core_pattern"]: sysctl "net.//.//.//kernel.core_pattern" has ".." as a component`,
		}},
		{`{"linux": {` + all + `, "sysctl": {"net.ipv4.ip_forward": "1\n2\n"}}}`, []string{
			`linux.sysctl["net.ipv4.ip_forward"] ("1\n2\n"): must not contain a line break`,
		}},
	})
}
