package tests

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// wantAsked compares what a process saw with what the configuration asks for.
func wantAsked(t testing.TB, r *report, s *specs.Spec, p *specs.Process) {
	t.Helper()
	same := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	same("uid", r.UIDs[0], p.User.UID)
	same("gid", r.GIDs[0], p.User.GID)
	for _, g := range p.User.AdditionalGids {
		if !slices.Contains(r.Groups, int(g)) {
			t.Errorf("group %d is not among %v", g, r.Groups)
		}
	}
	same("cwd", r.Cwd, p.Cwd)
	if s.Hostname != "" {
		same("hostname", r.Hostname, s.Hostname)
	}
	for _, e := range p.Env {
		name, value, _ := strings.Cut(e, "=")
		got, _ := r.env(name)
		same("variable "+name, got, value)
	}
	filter := unfiltered()
	if s.Linux.Seccomp != nil {
		filter = "2"
	}
	same("seccomp", r.status("Seccomp"), filter)
	if p.NoNewPrivileges {
		same("no_new_privs", r.status("NoNewPrivs"), 1)
	}
	if p.OOMScoreAdj != nil {
		same("oom_score_adj", strings.TrimSpace(r.Files["/proc/self/oom_score_adj"]), *p.OOMScoreAdj)
	}
	for _, l := range p.Rlimits {
		name := map[string]string{"RLIMIT_NOFILE": "Max open files", "RLIMIT_NPROC": "Max processes", "RLIMIT_CORE": "Max core file size"}[l.Type]
		same(l.Type, r.limit(name), fmt.Sprint(l.Soft, " ", l.Hard))
	}
	r.wantCapsAsked(p)
	r.wantMountsAsked(s)
	r.wantNamespacesAsked(s)
	r.wantCgroupAsked(s)
}

// wantCapsAsked compares the sets; an ordinary user keeps the bounding set alone, root what is in it.
func (r *report) wantCapsAsked(p *specs.Process) {
	r.t.Helper()
	own := capNames(ownStatus("CapBnd"))
	var bounding []string
	if p.Capabilities != nil {
		bounding = slices.DeleteFunc(slices.Clone(p.Capabilities.Bounding), func(c string) bool { return !slices.Contains(own, c) })
	}
	want := map[string][]string{"CapBnd": bounding}
	if p.User.UID == 0 {
		want["CapEff"], want["CapPrm"] = bounding, bounding
	}
	if p.Capabilities != nil {
		want["CapInh"] = p.Capabilities.Inheritable
		for _, c := range p.Capabilities.Ambient { // buildah asks for what the kernel does not allow
			if slices.Contains(p.Capabilities.Inheritable, c) {
				want["CapAmb"] = append(want["CapAmb"], c)
			}
		}
	}
	if p.User.UID != 0 { // what is ambient stays
		want["CapEff"], want["CapPrm"] = want["CapAmb"], want["CapAmb"]
	}
	r.wantCaps(want)
}

func (r *report) wantMountsAsked(s *specs.Spec) {
	r.t.Helper()
	for _, m := range s.Mounts {
		got := r.mount(path.Clean(m.Destination))
		if got == nil {
			r.t.Errorf("nothing is mounted on %s", m.Destination)
			continue
		}
		options := strings.Split(got.Options, ",")
		for _, o := range m.Options {
			if slices.Contains([]string{"ro", "nosuid", "nodev", "noexec"}, o) && !slices.Contains(options, o) {
				r.t.Errorf("%s lacks %s: %s", m.Destination, o, got.Options)
			}
		}
	}
	if s.Root.Readonly && !slices.Contains(strings.Split(r.mount("/").Options, ","), "ro") {
		r.t.Errorf("the root is %s", r.mount("/").Options)
	}
	for _, p := range s.Linux.MaskedPaths {
		if exists(p) && !r.masked(p) {
			r.t.Errorf("%s is not masked", p)
		}
	}
	for _, p := range s.Linux.ReadonlyPaths {
		if m := r.mount(p); exists(p) && (m == nil || !strings.HasPrefix(m.Options, "ro")) {
			r.t.Errorf("%s is not read-only", p)
		}
	}
	for _, d := range s.Linux.Devices {
		name, inDev := strings.CutPrefix(d.Path, "/dev/")
		if n, ok := r.Dev[name]; inDev && name != "ptmx" && !strings.Contains(name, "/") && (!ok || int64(n.Major) != d.Major || int64(n.Minor) != d.Minor) {
			r.t.Errorf("%s is %s", d.Path, n)
		}
	}
}

// wantNamespacesAsked looks for the host's: what is listed is new or joined, the rest is not.
func (r *report) wantNamespacesAsked(s *specs.Spec) {
	r.t.Helper()
	for kind, file := range map[specs.LinuxNamespaceType]string{specs.UserNamespace: "user", specs.CgroupNamespace: "cgroup", specs.MountNamespace: "mnt", specs.PIDNamespace: "pid"} {
		listed := slices.ContainsFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == kind })
		rootless := s.Linux.CgroupsPath == "" // in a user namespace that was there before
		if own := r.NS[file] == hostNamespace(r.t, file); own && listed || !own && !listed && !rootless && kind != specs.PIDNamespace {
			r.t.Errorf("the %s namespace is %s, listed: %t", file, r.NS[file], listed)
		}
	}
}

// wantCgroupAsked reads the limits where the container is, in the memory, cpu, cpuset and pids hierarchies of v1.
func (r *report) wantCgroupAsked(s *specs.Spec) {
	r.t.Helper()
	res := s.Linux.Resources
	if s.Linux.CgroupsPath == "" || res == nil {
		return
	}
	same := func(controller, file string, want any) {
		r.t.Helper()
		name := filepath.Join("/sys/fs/cgroup", controller, s.Linux.CgroupsPath, file)
		got, err := os.ReadFile(name)
		if err != nil || strings.TrimSpace(string(got)) != fmt.Sprint(want) {
			r.t.Errorf("%s is %s, want %v: %v", name, got, want, err)
		}
	}
	if m := res.Memory; m != nil && m.Limit != nil && *m.Limit > 0 {
		same("memory", "memory.limit_in_bytes", *m.Limit)
	}
	if c := res.CPU; c != nil && c.Quota != nil && *c.Quota > 0 {
		same("cpu", "cpu.cfs_quota_us", *c.Quota)
		same("cpu", "cpu.cfs_period_us", *c.Period)
	}
	if c := res.CPU; c != nil && c.Shares != nil && *c.Shares > 0 {
		same("cpu", "cpu.shares", *c.Shares)
	}
	if c := res.CPU; c != nil && c.Cpus != "" {
		same("cpuset", "cpuset.cpus", c.Cpus)
	}
	if p := res.Pids; p != nil && p.Limit != nil && *p.Limit > 0 {
		same("pids", "pids.max", *p.Limit)
	}
}
