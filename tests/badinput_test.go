package tests

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestWrongJSONIsLocated(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"empty":          {"", []string{"config.json:1:1"}},
		"truncated":      {"{\n\t\"ociVersion\": \"1.0.2\",\n\t\"root\": {", []string{"config.json:3:11"}},
		"comma missing":  {"{\n\t\"ociVersion\": \"1.0.2\"\n\t\"root\": {}\n}", []string{"config.json:3:2"}},
		"no object":      {"[]", []string{"config.json:1:1", "must be an object"}},
		"wrong type":     {"{\n\t\"ociVersion\": \"1.0.2\",\n\t\"process\": {\"args\": \"x\"}\n}", []string{"config.json:3:22", "process.args", "must be an array"}},
		"number too big": {`{"process": {"user": {"uid": 4294967296}}}`, []string{"config.json:1:30", "process.user.uid", "4294967295"}},
		"negative":       {`{"process": {"user": {"uid": -1}}}`, []string{"config.json:1:30", "process.user.uid"}},
		"more after it":  {"{}\n{}", []string{"config.json:2:1"}},
		"not UTF-8":      {"{\"hostname\": \"\xff\"}", []string{"config.json:1:15"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.writeConfig(c.text)
			b.refuse(1, c.words, "create", "--bundle", b.bundle, b.id)
			b.wantNothingLeft()
		})
	}
}

func TestConfigurationProblemsNameFieldAndPlace(t *testing.T) {
	needRoot(t, "the configuration is one without a user namespace")
	set := func(change func(*specs.Spec)) edit { return change }
	for name, c := range map[string]struct {
		edit  edit
		words []string
	}{
		"no version":        {set(func(s *specs.Spec) { s.Version = "" }), []string{"ociVersion"}},
		"next version":      {set(func(s *specs.Spec) { s.Version = "2.0.0" }), []string{"ociVersion", "2.0.0"}},
		"no root":           {set(func(s *specs.Spec) { s.Root = nil }), []string{"root: is missing"}},
		"no args":           {process(func(p *specs.Process) { p.Args = nil }), []string{"process.args: is missing"}},
		"empty arg":         {args(""), []string{"process.args[0]"}},
		"relative cwd":      {process(func(p *specs.Process) { p.Cwd = "tmp" }), []string{"process.cwd", `"tmp"`, "absolute"}},
		"no cwd":            {process(func(p *specs.Process) { p.Cwd = "" }), []string{"process.cwd"}},
		"environment":       {process(func(p *specs.Process) { p.Env = []string{"A=1", "B"} }), []string{"process.env[1]", `"B"`}},
		"NUL":               {args("/bin/probe", "a\x00b"), []string{"process.args[1]", "NUL"}},
		"rlimit":            {process(func(p *specs.Process) { p.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOPE"}} }), []string{"process.rlimits[0].type", "RLIMIT_NOPE", "RLIMIT_NOFILE"}},
		"rlimit twice":      {process(func(p *specs.Process) { p.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_CORE"}, {Type: "RLIMIT_CORE"}} }), []string{"process.rlimits[1].type", "rlimits[0]"}},
		"soft over hard":    {process(func(p *specs.Process) { p.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_CORE", Soft: 2, Hard: 1}} }), []string{"process.rlimits[0].soft", "2"}},
		"score":             {process(func(p *specs.Process) { p.OOMScoreAdj = new(2000) }), []string{"process.oomScoreAdj", "2000"}},
		"umask":             {process(func(p *specs.Process) { p.User.Umask = new(uint32(0o1777)) }), []string{"process.user.umask"}},
		"namespace":         {namespace("nope", ""), []string{"linux.namespaces[5].type", `"nope"`, "network"}},
		"namespace twice":   {set(func(s *specs.Spec) { s.Linux.Namespaces = append(s.Linux.Namespaces, s.Linux.Namespaces[0]) }), []string{"linux.namespaces[5]", "twice"}},
		"namespace path":    {namespace(specs.NetworkNamespace, "relative"), []string{"linux.namespaces[4].path", "relative", "absolute"}},
		"no maps":           {namespace(specs.UserNamespace, ""), []string{"linux.uidMappings"}},
		"overlapping maps":  {all(userNamespace(1000), set(func(s *specs.Spec) { s.Linux.UIDMappings = append(s.Linux.UIDMappings, s.Linux.UIDMappings[0]) })), []string{"linux.uidMappings[1]"}},
		"unmapped uid":      {all(userNamespace(1000), user(70000, 0)), []string{"process.user.uid", "70000", "not mapped"}},
		"unmapped gid":      {all(userNamespace(1000), user(0, 70000)), []string{"process.user.gid", "70000", "not mapped"}},
		"unmapped group":    {all(userNamespace(1000), user(0, 0, 70000)), []string{"process.user.additionalGids[0]", "70000", "not mapped"}},
		"masked path":       {set(func(s *specs.Spec) { s.Linux.MaskedPaths = []string{"proc/kcore"} }), []string{"linux.maskedPaths[0]", "absolute"}},
		"propagation":       {set(func(s *specs.Spec) { s.Linux.RootfsPropagation = "nope" }), []string{"linux.rootfsPropagation", `"nope"`, "rslave"}},
		"personality":       {set(func(s *specs.Spec) { s.Linux.Personality = &specs.LinuxPersonality{Domain: "NOPE"} }), []string{"linux.personality.domain", "NOPE", "LINUX32"}},
		"mount destination": {mount("", "tmpfs", "tmpfs"), []string{"mounts[5].destination"}},
		"bind with data":    {bind("/", "size=1m"), []string{"mounts[5].options[1]", "size=1m"}},
		"long hostname":     {set(func(s *specs.Spec) { s.Hostname = strings.Repeat("x", 65) }), []string{"hostname", "64"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, c.edit)
			r := b.refuse(1, c.words, "create", "--bundle", b.bundle, b.id)
			if place := regexp.MustCompile(regexp.QuoteMeta(b.bundle) + `/config\.json:\d+:\d+: `); !place.MatchString(r.stderr) {
				t.Errorf("the message does not say where: %s", r)
			}
			b.wantNothingLeft()
		})
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	b := newBox(t, process(func(p *specs.Process) { p.Cwd, p.Args = "x", nil }), mount("", "tmpfs", "x"),
		func(s *specs.Spec) { s.Linux.RootfsPropagation = "nope" }, sysctl("kernel.panic", "1"))
	r := b.refuse(1, []string{"process.cwd", "process.args", "mounts[5].destination", "linux.rootfsPropagation", "kernel.panic"}, "create", "--bundle", b.bundle, b.id)
	if n := strings.Count(strings.TrimSpace(r.stderr), "\n") + 1; n != 5 {
		t.Errorf("%d lines for five problems: %s", n, r)
	}
	b.wantNothingLeft()
}

func TestIdsThatAreNoneAreRefused(t *testing.T) {
	b := newBox(t)
	for _, id := range []string{"", ".", "..", "../x", "a/b", "a b", "ü", "a\nb", strings.Repeat("x", 2000), "$(id)", "*"} {
		for _, verb := range []string{"create", "state", "start", "kill", "delete", "exec", "pause"} {
			args := []string{verb, "--", id}
			switch verb {
			case "create":
				args = []string{verb, "--bundle", b.bundle, "--", id}
			case "exec":
				args = append(args, "/bin/true")
			}
			r := b.hull(args...)
			if want := map[string]int{"exec": 255}[verb]; r.code != max(want, 1) || !strings.Contains(r.stderr, "container ID") && !strings.Contains(r.stderr, "id") {
				t.Errorf("want a message about the id: %s", r)
			}
			if len(r.stderr) > 1000 {
				t.Errorf("the message has %d bytes", len(r.stderr))
			}
		}
	}
	b.wantNothingLeft()
}

func TestIdsOfAllAllowedCharactersWork(t *testing.T) {
	b := newBox(t, runProbe("say", "ran"))
	b.id += "_+-.Az09"
	b.wantOutput("ran")
}

func TestDuplicateIdIsRefused(t *testing.T) {
	b := newBox(t, runProbe("say", "ready", ",", "pause"))
	b.start().want("ready")
	r := b.refuse(1, []string{"container with given ID already exists", b.id}, "create", "--bundle", b.bundle, b.id)
	if strings.Contains(r.stderr, "config.json") {
		t.Error(r)
	}
	b.refuse(1, []string{"already exists"}, "run", "--bundle", b.bundle, b.id)
	b.wantStatus("running")
}

func TestCommandsOnAMissingContainerSaySo(t *testing.T) {
	b := newBox(t)
	for _, args := range [][]string{
		{"state"}, {"start"}, {"kill"}, {"delete"}, {"pause"}, {"resume"}, {"ps"}, {"update", "--pids-limit", "1"}, {"events", "--stats"},
	} {
		b.refuse(1, []string{"container does not exist", b.id}, append(args, b.id)...)
	}
	b.refuse(255, []string{"container does not exist"}, "exec", b.id, "/bin/true")
	b.wantNothingLeft()
}

func TestMissingBundleAndRootAreNamed(t *testing.T) {
	b := newBox(t)
	b.refuse(1, []string{"/no/such/bundle", "no such file or directory"}, "create", "--bundle", "/no/such/bundle", b.id)
	b.refuse(1, []string{"root.path", "/gone", "no such file or directory"}, b.with(func(s *specs.Spec) { s.Root.Path = "gone" })...)
	b.refuse(1, []string{"root.path", "not a directory"}, b.with(func(s *specs.Spec) { s.Root.Path = "config.json" })...)
	b.wantNothingLeft()
}

// with edits the configuration and returns the arguments to create from it.
func (b *box) with(edits ...edit) []string {
	b.t.Helper()
	b.edit(edits...)
	return []string{"create", "--bundle", b.bundle, b.id}
}

func TestMissingNamespacePathIsNamed(t *testing.T) {
	needRoot(t, "the configuration is one without a user namespace")
	b := newBox(t)
	b.refuse(1, []string{"linux.namespaces[4]", "/proc/1/ns/nope", "no such file or directory"}, b.with(namespace(specs.NetworkNamespace, "/proc/1/ns/nope"))...)
	b.refuse(1, []string{"linux.namespaces[4]", "/proc/self/ns/uts", "network"}, b.with(namespace(specs.NetworkNamespace, "/proc/self/ns/uts"))...)
	b.refuse(1, []string{"linux.namespaces[4]", "/etc/passwd", "network"}, b.with(namespace(specs.NetworkNamespace, "/etc/passwd"))...)
	b.wantNothingLeft()
}

func TestStateRootThatCannotBeUsedIsNamed(t *testing.T) {
	needRoot(t, "it looks at root's files")
	b := newBox(t)
	file := b.file("file", "")
	for root, words := range map[string][]string{
		file:               {file, "not a directory"},
		file + "/below":    {file, "not a directory"},
		"/proc/nope":       {"/proc/nope", "no such file or directory"},
		"/sys/kernel/nope": {"/sys/kernel/nope", "not permitted"},
		"/":                {"state root"},
	} {
		cmd := exec.Command(hullPath, "--root", root, "create", "--bundle", b.bundle, b.id)
		cmd.Dir = b.dir
		b.finish(t.Context(), cmd).expect(b, 1, words...)
	}
	b.wantNothingLeft()
}

func TestHugeConfigurationsWork(t *testing.T) {
	b := newBox(t, runProbe("say", "ran"), process(func(p *specs.Process) {
		for i := range 2000 {
			p.Env = append(p.Env, fmt.Sprintf("V%d=%s", i, strings.Repeat("x", 500)))
		}
	}))
	b.wantOutput("ran")
}
