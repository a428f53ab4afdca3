package tests

import (
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func sysctl(name, value string) edit {
	return func(s *specs.Spec) {
		if s.Linux.Sysctl == nil {
			s.Linux.Sysctl = map[string]string{}
		}
		s.Linux.Sysctl[name] = value
	}
}

func TestHostnameAndDomainnameAreTheContainersOwn(t *testing.T) {
	b := newBox(t, func(s *specs.Spec) { s.Hostname, s.Domainname = "some-host", "some.domain" })
	if r := b.report(); r.Hostname != "some-host" || r.Domainname != "some.domain" {
		t.Errorf("hostname %q, domainname %q", r.Hostname, r.Domainname)
	}
	host := running(t, withoutNamespace(specs.UTSNamespace), func(s *specs.Spec) { s.Hostname = "" })
	if name := host.execReport().Hostname; name == "some-host" {
		t.Error("the host's name was changed")
	}
}

func TestHostnameNeedsAUTSNamespace(t *testing.T) {
	b := newBox(t, withoutNamespace(specs.UTSNamespace))
	b.run().expect(b, 1, "hostname", "uts")
	b.edit(func(s *specs.Spec) { s.Hostname, s.Domainname = "", "d" })
	b.run().expect(b, 1, "domainname", "uts")
	b.wantNothingLeft()
}

func TestSysctlsAreSetInTheContainersNamespaces(t *testing.T) {
	for name, want := range map[string]string{
		"net.ipv4.ip_forward":          "1",
		"net/ipv4/ip_default_ttl":      "77",
		"kernel.msgmax":                "4096",
		"kernel.shm_rmid_forced":       "1",
		"kernel.sem":                   "100 200 300 400",
		"fs.mqueue.msg_max":            "33",
		"net.ipv4.conf.lo.rp_filter":   "2",
		"net.ipv4.ping_group_range":    "0 100",
		"net.ipv4.ip_local_port_range": "20000 30000",
	} {
		t.Run(name, func(t *testing.T) {
			file := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
			b := newBox(t, sysctl(name, want))
			if got := strings.Join(strings.Fields(b.report(file).Files[file]), " "); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		})
	}
}

func TestSysctlsOfTheHostAreRefused(t *testing.T) {
	for name, edits := range map[string][]edit{
		"kernel.panic":        nil,
		"vm.swappiness":       nil,
		"kernel.hostname":     nil,
		"net.ipv4.ip_forward": {withoutNamespace(specs.NetworkNamespace)},
		"kernel.msgmax":       {withoutNamespace(specs.IPCNamespace)},
		"kernel.nothing_such": nil,
	} {
		b := newBox(t, append(edits, sysctl(name, "1"))...)
		b.run().expect(b, 1, "linux.sysctl", name)
		b.wantNothingLeft()
	}
}

func TestSysctlErrorNamesTheKeyAndTheErrno(t *testing.T) {
	b := newBox(t, sysctl("net.ipv4.nothing_such", "1"))
	b.run().expect(b, 1, "linux.sysctl", "net.ipv4.nothing_such", "no such file or directory")
	b.edit(func(s *specs.Spec) { s.Linux.Sysctl = nil }, sysctl("net.ipv4.ip_forward", "nonsense"))
	b.run().expect(b, 1, "linux.sysctl", "net.ipv4.ip_forward", "invalid argument")
	b.wantNothingLeft()
}
