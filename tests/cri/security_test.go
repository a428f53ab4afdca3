package cri

import (
	"os"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func status(line string) string { return "grep '" + line + "' /proc/self/status" }

// securityTests are what a container may do.
var securityTests = []test{
	{"seccomp of the runtime", func(p *pod) error {
		return p.prints(status("Seccomp:"), 0, "Seccomp:\t2", security(func(s *cri.LinuxContainerSecurityContext) {
			s.Seccomp = &cri.SecurityProfile{ProfileType: cri.SecurityProfile_RuntimeDefault}
		}))
	}},
	{"seccomp unconfined", func(p *pod) error {
		return p.prints(status("Seccomp:"), 0, "Seccomp:\t0", security(func(s *cri.LinuxContainerSecurityContext) {
			s.Seccomp = &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Unconfined}
		}))
	}},
	{"seccomp of the node", func(p *pod) error {
		const profile = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]}`
		if err := os.WriteFile("/run/profile.json", []byte(profile), 0o644); err != nil {
			return err
		}
		return p.prints("mkdir /x 2>&1", 1, "Cannot assign requested address", security(func(s *cri.LinuxContainerSecurityContext) {
			s.Seccomp = &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Localhost, LocalhostRef: "localhost//run/profile.json"}
		}))
	}},
	{"AppArmor", func(p *pod) error {
		if _, err := os.Stat("/sys/kernel/security/apparmor"); err != nil {
			return err
		}
		return p.prints("cat /proc/self/attr/current", 0, "cri-containerd.apparmor.d", security(func(s *cri.LinuxContainerSecurityContext) {
			s.Apparmor = &cri.SecurityProfile{ProfileType: cri.SecurityProfile_RuntimeDefault}
		}))
	}},
	{"capabilities", func(p *pod) error {
		return p.prints(status("CapEff:"), 0, "CapEff:\t0000000000002000", security(func(s *cri.LinuxContainerSecurityContext) {
			s.Capabilities = &cri.Capability{DropCapabilities: []string{"ALL"}, AddCapabilities: []string{"NET_RAW"}}
		}))
	}},
	{"sysctls", func(p *pod) error {
		err := p.start(func(c *cri.PodSandboxConfig) {
			c.Linux.Sysctls = map[string]string{"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}
		})
		if err != nil {
			return err
		}
		return p.prints("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced", 0, "1\n1\n")
	}},
	{"read-only and masked paths", func(p *pod) error {
		return p.prints("wc -c </proc/keys; echo 1 >/proc/sys/kernel/panic || echo refused; ls -A /tmp/masked | wc -l", 0, "0\nrefused\n0\n", func(c *cri.ContainerConfig) {
			c.Linux.SecurityContext.MaskedPaths, c.Linux.SecurityContext.ReadonlyPaths = []string{"/proc/keys", "/tmp/masked"}, []string{"/proc/sys"}
			c.Mounts = []*cri.Mount{{ContainerPath: "/tmp/masked", HostPath: "/run/cri"}}
		})
	}},
	{"unmasked paths", func(p *pod) error {
		return p.prints("grep ' /proc/' /proc/mounts || echo none", 0, "none", security(func(s *cri.LinuxContainerSecurityContext) {
			s.MaskedPaths, s.ReadonlyPaths = []string{}, []string{}
			s.Privileged = false
		}))
	}},
	{"privileged", func(p *pod) error {
		if err := p.start(func(c *cri.PodSandboxConfig) { c.Linux.SecurityContext.Privileged = true }); err != nil {
			return err
		}
		return p.prints("mount -t tmpfs x /mnt && echo mounted", 0, "mounted", security(func(s *cri.LinuxContainerSecurityContext) { s.Privileged = true }))
	}},
	{"user and supplemental groups", func(p *pod) error {
		return p.prints("id", 0, "uid=1234 gid=5678 groups=29,5678", security(func(s *cri.LinuxContainerSecurityContext) {
			s.RunAsUser, s.RunAsGroup, s.SupplementalGroups = &cri.Int64Value{Value: 1234}, &cri.Int64Value{Value: 5678}, []int64{29}
		}))
	}},
	{"user by name", func(p *pod) error {
		return p.prints("id -u", 0, "1000\n", security(func(s *cri.LinuxContainerSecurityContext) { s.RunAsUsername = "user" }))
	}},
	{"no new privileges", func(p *pod) error {
		return p.prints(status("NoNewPrivs:"), 0, "NoNewPrivs:\t1", security(func(s *cri.LinuxContainerSecurityContext) { s.NoNewPrivs = true }))
	}},
	{"read-only root", func(p *pod) error {
		return p.prints("echo x >/x || echo refused", 0, "refused", security(func(s *cri.LinuxContainerSecurityContext) { s.ReadonlyRootfs = true }))
	}},
}
