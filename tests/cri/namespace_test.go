package cri

import (
	"fmt"
	"os"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// link is what the namespace of a process is called.
func link(name string) string { return "readlink /proc/self/ns/" + name }

// shared says whether two containers of the pod have the namespace in common.
func (p *pod) shared(name string) (bool, error) {
	var got [2]string
	for i := range got {
		c, err := p.run("sleep 100")
		if err != nil {
			return false, err
		}
		if got[i], err = c.exec(link(name)); err != nil {
			return false, err
		}
	}
	return got[0] == got[1], nil
}

func wantShared(want bool, name string, edits ...podEdit) func(*pod) error {
	return func(p *pod) error {
		if err := p.start(edits...); err != nil {
			return err
		}
		got, err := p.shared(name)
		if err == nil && got != want {
			err = fmt.Errorf("%s is shared: %v, want %v", name, got, want)
		}
		return err
	}
}

// wantHost says whether a container has the host's namespace.
func wantHost(name string, edit podEdit) func(*pod) error {
	return func(p *pod) error {
		host, err := os.Readlink("/proc/self/ns/" + name)
		if err != nil {
			return err
		}
		if err := p.start(edit); err != nil {
			return err
		}
		return p.prints(link(name), 0, host)
	}
}

// namespaceTests are what containers of a pod have in common, and with the host.
var namespaceTests = []test{
	{"network is the pod's", wantShared(true, "net")},
	{"ipc is the pod's", wantShared(true, "ipc")},
	{"uts is the pod's", wantShared(true, "uts")},
	{"pid is the container's", wantShared(false, "pid")},
	{"pid is the pod's", wantShared(true, "pid", namespaces(func(o *cri.NamespaceOption) { o.Pid = cri.NamespaceMode_POD }))},
	{"network is the host's", wantHost("net", namespaces(func(o *cri.NamespaceOption) { o.Network = cri.NamespaceMode_NODE }))},
	{"pid is the host's", wantHost("pid", namespaces(func(o *cri.NamespaceOption) { o.Pid = cri.NamespaceMode_NODE }))},
	{"ipc is the host's", wantHost("ipc", namespaces(func(o *cri.NamespaceOption) { o.Ipc = cri.NamespaceMode_NODE }))},
	{"pid is another container's", func(p *pod) error {
		target, err := p.run("sleep 123")
		if err != nil {
			return err
		}
		return p.prints("ps", 0, "sleep 123", security(func(s *cri.LinuxContainerSecurityContext) {
			s.NamespaceOptions = &cri.NamespaceOption{Pid: cri.NamespaceMode_TARGET, TargetId: target.id}
		}))
	}},
	{"two containers talk over the pod's network", func(p *pod) error {
		if _, err := p.run("while :; do echo served | nc -l -p 8080; done"); err != nil {
			return err
		}
		return p.prints("until nc 127.0.0.1 8080 </dev/null; do sleep 0.1; done", 0, "served")
	}},
}
