// Package cri drives containerd's CRI plugin, as a kubelet does, with hull as the
// handler of a RuntimeClass, and with runc for comparison. `make test-cri` runs it.
package cri

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// patience is how long anything may take: no measure of speed.
const patience = 40 * time.Second

const image, pauseImage = "localhost/busybox:latest", "localhost/pause:latest"

// node is a machine with containerd, without a kubelet.
type node struct {
	runtime cri.RuntimeServiceClient
	images  cri.ImageServiceClient
	control bool   // runc is there
	version string // containerd's
	pods    int
}

var config = `version = 2
root = "/run/cri/root"
state = "/run/cri/state"
[grpc]
address = "/run/cri/sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "` + pauseImage + `"
disable_apparmor = true
restrict_oom_score_adj = true
stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "/run/cri/net.d"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.hull]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.hull.options]
BinaryName = "$HULL"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "runc"
`

const network = `{"cniVersion": "0.4.0", "name": "pods", "plugins": [
	{"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.99.0.0/24", "dataDir": "/run/cri/ipam"}}]}`

// images makes the two images of busybox, without a registry.
const images = `
mkdir -p /run/cri/root.fs/bin /run/cri/root.fs/etc /run/cri/root.fs/tmp /run/cri/root.fs/mnt
cd /run/cri/root.fs
cp "$(command -v busybox)" bin/busybox
for name in $(busybox --list); do [ -e bin/$name ] || ln -s busybox bin/$name; done
echo root:x:0:0:root:/root:/bin/sh >etc/passwd
echo user:x:1000:1000:user:/:/bin/sh >>etc/passwd
tar -cf ../root.tar .
podman import -q -c 'ENV PATH=/bin' ../root.tar ` + image + `
podman import -q -c 'ENTRYPOINT ["/bin/busybox", "sleep", "1000000"]' ../root.tar ` + pauseImage + `
podman save -q -o ../busybox.tar ` + image + `
podman save -q -o ../pause.tar ` + pauseImage + `
export CONTAINERD_ADDRESS=/run/cri/sock
ctr version >/dev/null
ctr -n k8s.io images import ../busybox.tar
ctr -n k8s.io images import ../pause.tar
`

func hull(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../hull")
	if name := os.Getenv("HULL"); name != "" {
		path, err = name, nil
	}
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v: run make first", err)
	}
	return path
}

// newNode starts containerd in the world that tests/engines/world makes.
func newNode(t *testing.T) *node {
	t.Helper()
	if os.Getenv("ENGINES_WORLD") == "" {
		t.Skip("not in namespaces of its own: make test-cri, as root on cgroup v1")
	}
	for _, name := range []string{"containerd", "ctr", "podman", "busybox"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%v: .ci/deps engines", err)
		}
	}
	for name, text := range map[string]string{
		"config.toml": strings.ReplaceAll(config, "$HULL", hull(t)), "net.d/10-pods.conflist": network,
	} {
		path := filepath.Join("/run/cri", name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	log, err := os.Create("/run/cri/log")
	must(t, err)
	if dir := os.Getenv("CONTAINERD"); dir != "" { // another one, with its shim and ctr
		t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	}
	daemon := exec.Command("containerd", "--config", "/run/cri/config.toml")
	daemon.Stdout, daemon.Stderr = log, log
	must(t, daemon.Start())
	t.Cleanup(func() { _ = daemon.Process.Kill(); _ = daemon.Wait() })

	conn, err := grpc.NewClient("unix:///run/cri/sock", grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	n := &node{runtime: cri.NewRuntimeServiceClient(conn), images: cri.NewImageServiceClient(conn)}
	_, err = exec.LookPath("runc")
	n.control = err == nil
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		status, err := n.runtime.Status(ctx, &cri.StatusRequest{}, grpc.WaitForReady(true))
		if err == nil && ready(status) {
			break
		}
		if ctx.Err() != nil {
			text, _ := os.ReadFile("/run/cri/log")
			t.Fatalf("containerd does not come up: %v %v: %.3000s", err, status, text)
		}
		time.Sleep(100 * time.Millisecond)
	}
	v, err := n.runtime.Version(ctx, &cri.VersionRequest{})
	must(t, err)
	n.version = strings.TrimPrefix(v.RuntimeVersion, "v")
	if out, err := exec.CommandContext(ctx, "sh", "-ec", images).CombinedOutput(); err != nil {
		t.Fatalf("images: %v: %s", err, out)
	}
	return n
}

func ready(s *cri.StatusResponse) bool {
	for _, c := range s.Status.Conditions {
		if !c.Status {
			return false
		}
	}
	return true
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// test is a case: it makes its pods with the handler of p, and says what was wrong.
type test struct {
	name string
	run  func(p *pod) error
}

// excuses are what runc says on hosts that cannot do what the test asks for, which is then skipped.
var excuses = map[string]string{
	"TestCRI/AppArmor": "apparmor: no such file or directory",
}

// TestCRI runs each case with the handler runc, which shows that it and the host are right, then with hull.
func TestCRI(t *testing.T) {
	n := newNode(t)
	for _, group := range [][]test{lifeTests, streamTests, resourceTests, namespaceTests, securityTests} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				if n.control {
					words, excused := excuses[t.Name()]
					if err := n.try(t, "runc", c); err != nil && excused && strings.Contains(err.Error(), words) {
						t.Skipf("runc cannot do it on this host either: %v", err)
					} else if err != nil {
						t.Errorf("with runc: %v", err)
					}
				}
				if err := n.try(t, "hull", c); err != nil {
					t.Errorf("with hull: %v", err)
				}
			})
		}
	}
	for _, c := range newTests {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasPrefix(n.version, "1.") {
				t.Skipf("containerd %s does not know it: make test-cri2", n.version)
			}
			if err := n.try(t, "hull", c); err != nil {
				t.Error(err)
			}
		})
	}
}

func (n *node) try(t *testing.T, handler string, c test) (err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n.pods++
	p := &pod{node: n, ctx: ctx, handler: handler, name: fmt.Sprintf("pod%d", n.pods), logs: t.TempDir()}
	defer p.remove()
	return c.run(p)
}
