package cli

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	urfave "github.com/urfave/cli/v2"

	"hull/cgroups"
	"hull/internal/seccomp"
	"hull/libcontainer"
	"hull/specconv"
)

func featuresCommand() *urfave.Command {
	return &urfave.Command{
		Name:  "features",
		Usage: "print what hull can do as JSON (features.md of the runtime specification)",
		Action: func(c *urfave.Context) error {
			if _, err := operands(c, 0, 0); err != nil {
				return err
			}
			return printIndented(c.App.Writer, newFeatures(), "    ")
		},
	}
}

// newFeatures is the features document. Its lists are the tables that the
// configuration is checked and lowered with.
func newFeatures() *features.Features {
	yes := true
	f := &features.Features{
		OCIVersionMin: "1.0.0",
		OCIVersionMax: specs.Version,
		Hooks:         specconv.HookNames(),
		MountOptions:  specconv.MountOptions(),
		Linux: &features.Linux{
			Namespaces:   specconv.NamespaceNames(),
			Capabilities: specconv.CapabilityNames(),
			Cgroup:       &features.Cgroup{V1: &yes, V2: &yes, Systemd: &yes, SystemdUser: &yes, Rdma: &yes},
			Seccomp:      seccomp.Supported(),
			Apparmor:     &features.Apparmor{Enabled: &yes},
			Selinux:      &features.Selinux{Enabled: &yes},
			IntelRdt:     &features.IntelRdt{Enabled: &yes, Schemata: &yes, Monitoring: &yes},
			MemoryPolicy: &features.MemoryPolicy{
				Modes: specconv.MemoryPolicyModeNames(),
				Flags: specconv.MemoryPolicyFlagNames(),
			},
			MountExtensions: &features.MountExtensions{IDMap: &features.IDMap{Enabled: &yes}},
			NetDevices:      &features.NetDevices{Enabled: &yes},
		},
		PotentiallyUnsafeConfigAnnotations: []string{stopSignal, cgroups.PropertyAnnotation, libcontainer.CriuConfigAnnotation},
		Annotations: map[string]string{
			"hull.version":                         version,
			"io.github.seccomp.libseccomp.version": seccomp.Version(),
		},
	}
	if commit != "" {
		f.Annotations["hull.commit"] = commit
	}
	return f
}
