package cri

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// ids are those that the root of a pod with a user namespace has on the host, and all others.
var ids = []*cri.IDMapping{{HostId: 400000, Length: 65536}}

const ownRoot = "         0     400000      65536\n"

func mapped(o *cri.NamespaceOption) {
	o.UsernsOptions = &cri.UserNamespace{Mode: cri.NamespaceMode_POD, Uids: ids, Gids: ids}
}

// newTests are what containerd 2 does when the runtime's features say that it can. Debian's runc cannot.
var newTests = []test{
	{"what the runtime can", func(p *pod) error {
		r, err := p.runtime.Status(p.ctx, &cri.StatusRequest{})
		if err != nil {
			return err
		}
		for _, h := range r.RuntimeHandlers {
			if h.Name == p.handler && h.Features.GetRecursiveReadOnlyMounts() && h.Features.GetUserNamespaces() {
				return nil
			}
		}
		return fmt.Errorf("the handlers are %v", r.RuntimeHandlers)
	}},
	{"user namespace", func(p *pod) error {
		if err := p.start(namespaces(mapped)); err != nil {
			return err
		}
		return p.prints("cat /proc/self/uid_map; echo mine >/file; stat -c '%u %g' /file /etc/passwd", 0, ownRoot+"0 0\n0 0\n")
	}},
	{"exec in a user namespace", func(p *pod) error {
		if err := p.start(namespaces(mapped)); err != nil {
			return err
		}
		c, err := p.run("sleep 100")
		if err != nil {
			return err
		}
		got, err := c.exec("cat /proc/self/uid_map")
		if err == nil && got != ownRoot {
			err = fmt.Errorf("the map is %q", got)
		}
		return err
	}},
	{"volume with mapped ids", func(p *pod) error {
		if err := p.start(namespaces(mapped)); err != nil {
			return err
		}
		dir, err := os.MkdirTemp("/run", "mapped")
		if err != nil {
			return err
		}
		err = p.prints("cat /proc/self/uid_map; echo mine >/in/file; stat -c '%u %g' /in/file", 0, ownRoot+"0 0\n", func(c *cri.ContainerConfig) {
			c.Mounts = []*cri.Mount{{ContainerPath: "/in", HostPath: dir, UidMappings: ids, GidMappings: ids}}
		})
		if err != nil {
			return err
		}
		var s unix.Stat_t
		if err := unix.Stat(filepath.Join(dir, "file"), &s); err != nil || s.Uid != 0 || s.Gid != 0 {
			return fmt.Errorf("on the host the file is of %d:%d: %w", s.Uid, s.Gid, err)
		}
		return nil
	}},
	{"recursive read-only mount", func(p *pod) error {
		dir, err := os.MkdirTemp("/run", "tree")
		if err != nil {
			return err
		}
		below := filepath.Join(dir, "below")
		if err := first(os.Mkdir(below, 0o755), unix.Mount("tmpfs", below, "tmpfs", 0, "")); err != nil {
			return err
		}
		defer unix.Unmount(below, unix.MNT_DETACH)
		for recursive, want := range map[bool]string{false: "written\n", true: "refused\n"} {
			err := p.prints("echo x >/in/below/f && echo written || echo refused", 0, want, func(c *cri.ContainerConfig) {
				c.Mounts = []*cri.Mount{{ContainerPath: "/in", HostPath: dir, Readonly: true, RecursiveReadOnly: recursive}}
			})
			if err != nil {
				return err
			}
		}
		return nil
	}},
}
