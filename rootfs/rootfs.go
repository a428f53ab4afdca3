// Package rootfs emits the plan operations that make a container's view of the
// file system: its root, mounts, /dev, console, masks and read-only places
// (config.md "Root" and "Mounts", config-linux.md).
//
// A [View] is made once and its methods are called in this order, each
// appending to the plan what the stage will do in the container's mount
// namespace:
//
//	v, err := rootfs.New(p, options)
//	v.Prepare()             // v.Root is the new root from here on
//	v.Mounts()
//	v.Devices()
//	                        // hooks createRuntime and createContainer
//	c := v.Console(process) // when process.terminal is set
//	v.Restrict()            // maskedPaths, readonlyPaths, root.readonly
//	v.Pivot()               // nothing of the host is left
//
// From Prepare on every path of the container is resolved below the
// descriptor of its root by openat2(2), at the moment it is needed, and what is
// found is used by descriptor: a container that changes its image or a shared
// volume meanwhile can only hurt itself (CVE-2019-19921, CVE-2021-30465,
// CVE-2025-31133, CVE-2026-41579).
package rootfs

import (
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/internal/plan"
)

// Options say what a view is made of.
type Options struct {
	Spec     *specs.Spec
	Bundle   string      // absolute; relative sources of mounts are below it
	Root     string      // absolute path of the root file system
	Userns   bool        // the container has a user namespace that is not hull's own
	Rootless bool        // hull is not privileged on the host
	NoPivot  bool        // MS_MOVE and chroot in place of pivot_root
	Cgroups  []Hierarchy // what a mount of type cgroup shows
	Pending  string      // a source that create makes in the container's directory

	NoMountSetattr bool // do as on Linux < 5.12, for tests
}

// Hierarchy is one cgroup directory in a mount of type cgroup.
type Hierarchy struct {
	Name  string   // of the directory: "memory", "cpu,cpuacct"; "" when it is the mount itself (v2)
	Dir   string   // the container's own cgroup, an absolute path on the host
	Links []string // names that also lead there: "cpu", "cpuacct"
}

// View appends the operations that make one container's file system to a plan.
type View struct {
	Root plan.Reg // the root directory, O_PATH, from Prepare to Pivot

	p *plan.Plan
	o Options

	mounts      []mount
	nodes       []node
	propagation uintptr // linux.rootfsPropagation, as MS_*
	have        uintptr // flags of the mount that the root is on, as MS_*

	kernelMounts []string // of procfs and sysfs on the host, when there is no pivot

	mntns   bool // the container has a mount namespace of its own
	setattr bool // mount_setattr(2) can be used
	mknod   bool // devices can be made
	fetch   bool // the parent opens what is on the host, see source.go

	dst, src, fs plan.Reg // of the mount being made
	covered      plan.Reg // the directory that a tmpfs covers, if it was there before
	late         []late
	held         []held
}

// late is a mount that becomes read-only when all else is done.
type late struct {
	site plan.Site
	mnt  plan.Reg
	have uintptr // MS_*
}

// New checks what can be known before anything is done. Nothing is changed on the host.
func New(p *plan.Plan, o Options) (*View, error) {
	v := &View{p: p, o: o}
	v.mntns = v.namespace(specs.MountNamespace)
	v.setattr = !o.NoMountSetattr && hasMountSetattr()
	v.mknod = !o.Userns && canMknod()
	v.fetch = o.Userns && !o.Rootless
	if err := errors.Join(v.lowerMounts(), v.lowerDevices()); err != nil {
		return nil, err
	}
	if err := v.check(); err != nil {
		return nil, err
	}
	if o.NoPivot {
		var err error
		if v.kernelMounts, err = hostKernelMounts(o.Root); err != nil {
			return nil, err
		}
	}
	v.Root, v.dst, v.src, v.fs, v.covered = p.Reg(), p.Reg(), p.Reg(), p.Reg(), p.Reg()
	return v, nil
}

// namespace says whether the container has a namespace of this type, new or joined.
func (v *View) namespace(t specs.LinuxNamespaceType) bool {
	return slices.ContainsFunc(v.linux().Namespaces, func(ns specs.LinuxNamespace) bool { return ns.Type == t })
}

// linux is the Linux part of the configuration, empty if there is none.
func (v *View) linux() *specs.Linux {
	if v.o.Spec.Linux == nil {
		return &specs.Linux{}
	}
	return v.o.Spec.Linux
}

// refuse is an operation that fails with fact and errno.
func (v *View) refuse(fact string, errno unix.Errno) {
	var op *plan.Op
	op = v.p.Ask("refuse", nil, func(*plan.Call) error {
		return &plan.Failure{Site: op.Site, Fact: fact, Errno: errno}
	})
}

// ask is Ask whose errors say where they come from.
func (v *View) ask(name string, send, into []plan.Reg, fn func(*plan.Call) error) {
	var op *plan.Op
	op = v.p.AskFiles(name, send, into, func(c *plan.Call) error {
		if err := fn(c); err != nil {
			return fmt.Errorf("%s (%s): %s: %w", op.Field, op.Target, name, err)
		}
		return nil
	})
}
