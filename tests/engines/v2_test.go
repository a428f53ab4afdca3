package engines

import (
	"os"
	"testing"
)

// The engines on cgroup v2 with systemd, which is what they use there by
// themselves: `make test-engines-vm` boots such a machine.

const podmanConfV2 = `[containers]
log_driver="k8s-file"
[engine]
cgroup_manager="systemd"
events_logger="file"
`

// podmanC2 is as podmanC, without a network.
const podmanC2 = `podman --runtime $R run -d --name c --network none --memory 64m busybox sleep 1000 >/dev/null; `

var podmanV2 = []check{
	{"scope", `podman --runtime $R run --rm --network none --cgroupns host busybox cat /proc/self/cgroup`, 0, "0::/machine.slice/libpod-"},
	{"slice", `podman --runtime $R run --rm --network none --cgroupns host --cgroup-parent above-it.slice busybox cat /proc/self/cgroup`, 0, "0::/above.slice/above-it.slice/libpod-"},
	{"cgroup namespace", `podman --runtime $R run --rm --network none busybox cat /proc/self/cgroup`, 0, "0::/\n"},
	{"limits", `podman --runtime $R run --rm --network none --memory 64m --pids-limit 50 --cpus 0.5 busybox sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'`, 0, "67108864\n50000 100000\n50\n"},
	{"limits after a reload", podmanC2 + `systemctl daemon-reload; podman exec c cat /sys/fs/cgroup/memory.max` + podmanEnd, 0, "67108864\n"},
	{"update", podmanC2 + `podman update --memory 33554432 --memory-swap 33554432 --cpus 0.25 c && podman exec c sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max'` + podmanEnd, 0, "33554432\n25000 100000\n"},
	{"exec", podmanC2 + `podman exec -u user -w /tmp c sh -c 'id -u; pwd; cat /proc/self/cgroup'` + podmanEnd, 0, "1000\n/tmp\n0::/\n"},
	{"pause and unpause", podmanC2 + `podman pause c; podman inspect -f '{{.State.Status}}' c; podman unpause c >/dev/null; podman inspect -f '{{.State.Status}}' c` + podmanEnd, 0, "paused\nrunning\n"},
	{"kill", podmanC2 + `podman kill c; podman wait c` + podmanEnd, 0, "137"},
	{"stats", podmanC2 + `podman stats --no-stream --format '{{.MemUsage}} {{.PIDS}} pid' c` + podmanEnd, 0, "/ 67.11MB 1 pid"},
	{"device rules", `podman --runtime $R run --rm --network none --device-cgroup-rule 'c 10:229 rwm' --cap-add mknod busybox sh -c 'exec 2>&1; busybox mknod /tmp/fuse c 10 229 && : </tmp/fuse && echo open; busybox mknod /tmp/kmsg c 1 11; : </tmp/kmsg'`, 1, "open\nsh: can't open /tmp/kmsg: Operation not permitted"},
	{"profile of AppArmor", `podman --runtime $R run --rm --network none busybox cat /proc/self/attr/current`, 0, "containers-default-"},
	{"user namespace", `podman --runtime $R run --rm --network none --uidmap 0:100000:65536 --gidmap 0:100000:65536 busybox cat /proc/self/uid_map`, 0, "100000"},
	{"checkpoint", podmanC2 + `podman --runtime $R container checkpoint c && podman --runtime $R container restore c && podman exec c echo inside` + podmanEnd, 0, "inside"},
	{"no unit is left", `podman --runtime $R run --rm --network none busybox true; systemctl list-units --no-legend --all 'libpod-[0-9a-f]*.scope' | grep . || echo none`, 0, "none"},
}

func TestPodmanOnV2(t *testing.T) {
	need(t, "v2", "podman")
	hull, control := runtimes(t)
	podman(t, podmanConfV2).all(t, hull, control, podmanV2)
}

// asRootless runs commands as an ordinary user, as a service of the user's own systemd.
const asRootless = `
systemctl start user@1000.service
mkdir -p /home/rootless/.config/containers; cp $CONF /home/rootless/.config/containers/containers.conf
cp /run/image.tar /home/rootless/busybox.tar; chmod 644 /home/rootless/busybox.tar; chown -R rootless: /home/rootless
as() {
	setpriv --reuid rootless --regid rootless --init-groups env -i PATH="$PATH" HOME=/home/rootless XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus \
		systemd-run --user --quiet --pipe --wait --collect --working-directory /home/rootless -p Delegate=yes -E R="$R" sh -ec "$1"
}
as 'podman image exists busybox || podman import -q busybox.tar busybox >/dev/null'
as '`

var podmanRootlessV2 = []check{
	{"run", asRootless + `podman --runtime $R run --rm --network none busybox sh -c "id -u; cat /proc/self/uid_map"'`, 0, "0\n         0       1000          1\n         1     100000      65536"},
	{"scope", asRootless + `podman --runtime $R run --rm --network none --cgroupns host busybox cat /proc/self/cgroup'`, 0, "/user@1000.service/user.slice/libpod-"},
	{"limits", asRootless + `podman --runtime $R run --rm --network none --memory 64m --pids-limit 50 busybox sh -c "cd /sys/fs/cgroup; cat memory.max pids.max"'`, 0, "67108864\n50\n"},
	{"exec", asRootless + `podman --runtime $R run -d --name c --network none busybox sleep 1000 >/dev/null; podman exec c echo inside; podman rm -ft0 c >/dev/null'`, 0, "inside"},
	{"pause and unpause", asRootless + `podman --runtime $R run -d --name c --network none busybox sleep 1000 >/dev/null; podman pause c >/dev/null; podman inspect -f "{{.State.Status}}" c; podman unpause c >/dev/null; podman rm -ft0 c >/dev/null'`, 0, "paused"},
	{"keep-id", asRootless + `podman --runtime $R run --rm --network none --userns keep-id busybox id -u'`, 0, "1000"},
}

func TestRootlessPodmanOnV2(t *testing.T) {
	need(t, "v2", "podman", "newuidmap")
	hull, control := runtimes(t)
	e := &engine{env: []string{"CONF=" + containersConf(t, podmanConfV2)}}
	e.must(t, "cp "+busybox(t)+" /run/image.tar")
	e.all(t, hull, control, podmanRootlessV2)
}

const dockerCC2 = `docker run -d --name cc --memory 64m --runtime $R busybox sleep 1000 >/dev/null; `

var dockerV2 = []check{
	{"scope", `docker run --rm --cgroupns host --runtime $R busybox cat /proc/self/cgroup`, 0, "0::/system.slice/docker-"},
	{"limits", `docker run --rm --memory 64m --pids-limit 50 --cpus 0.5 --runtime $R busybox sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'`, 0, "67108864\n50000 100000\n50\n"},
	{"update", dockerCC2 + `docker update --memory 48m --memory-swap 48m --pids-limit 60 cc; docker exec cc sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max'` + dockerEnd, 0, "50331648\n60\n"},
	{"pause and unpause", dockerCC2 + `docker pause cc; docker inspect -f '{{.State.Status}}' cc; docker unpause cc; docker inspect -f '{{.State.Status}}' cc` + dockerEnd, 0, "paused\ncc\nrunning\n"},
	{"exec", dockerCC2 + `docker exec -u user -w /tmp cc sh -c 'id -u; pwd'` + dockerEnd, 0, "1000\n/tmp\n"},
	{"not there", `docker run --rm --runtime $R busybox nothing`, 127, "executable file not found"},
	{"out of memory", dockerOOM + `docker wait cc; docker inspect -f 'oom {{.State.OOMKilled}}' cc` + dockerEnd, 0, "137\noom true"},
	{"stats", dockerCC2 + `docker stats --no-stream --format '{{.MemUsage}} {{.PIDs}} pid' cc` + dockerEnd, 0, "/ 64MiB 1 pid"},
	{"profile of AppArmor", `docker run --rm --runtime $R busybox cat /proc/self/attr/current`, 0, "docker-default (enforce)"},
	{"stop", dockerCC2 + `docker stop -t1 cc; docker inspect -f '{{.State.ExitCode}}' cc` + dockerEnd, 0, "137"},
}

func TestDockerOnV2(t *testing.T) {
	need(t, "v2", "dockerd")
	hull, control := runtimes(t)
	hull.name, control.name = "hull", "runc" // what --runtime takes
	e := &engine{env: []string{"DOCKER_HOST=unix:///run/dk/docker.sock"}, clean: "docker rm -f cc"}
	if err := os.MkdirAll("/run/dk", 0o755); err != nil {
		t.Fatal(err)
	}
	daemon(t, "dockerd", "--data-root", "/run/dk/data", "--exec-root", "/run/dk/exec", "-H", "unix:///run/dk/docker.sock", "--pidfile", "/run/dk/pid",
		"--bridge", "none", "--add-runtime", "hull="+hull.path)
	e.must(t, "until docker version >/dev/null 2>&1; do sleep 0.5; done; docker import "+busybox(t)+" busybox")
	e.all(t, hull, control, dockerV2)
}

var ctrV2 = []check{
	{"limits", ctrRun + `-d --memory-limit 67108864 --cpus 0.5 --cgroup /above/c localhost/busybox:latest c sleep 1000; cat /sys/fs/cgroup/above/c/memory.max /sys/fs/cgroup/above/c/cpu.max; code=$?; ` + ctrEnd, 0, "67108864\n50000 100000\n"},
	{"systemd", ctrRun + `-d --runc-systemd-cgroup --memory-limit 67108864 --cgroup system.slice:ctr:c localhost/busybox:latest c sleep 1000; systemctl show -p MemoryMax ctr-c.scope; code=$?; ` + ctrEnd, 0, "MemoryMax=67108864"},
	{"exec", ctrDetached + `ctr task exec --exec-id e c echo inside; code=$?; ` + ctrEnd, 0, "inside"},
	{"pause and resume", ctrDetached + `ctr task pause c; ctr task ls; ctr task resume c; code=$?; ` + ctrEnd, 0, "PAUSED"},
	{"metrics", ctrDetached + `ctr task metrics c; code=$?; ` + ctrEnd, 0, "pids.current"},
	{"checkpoint", ctrDetached + `ctr task checkpoint --image-path /run/cp c; code=$?; rm -rf /run/cp; ` + ctrEnd, 0, ""},
	{"checkpoint and restore", ctrDetached + `ctr container checkpoint --rw --task --image c localhost/kept && (` + ctrEnd + `); ctr container restore --rw --live c localhost/kept; ctr task exec --exec-id e c echo inside; code=$?; ctr image rm localhost/kept >/dev/null; ` + ctrEnd, 0, "inside"},
}

func TestContainerdOnV2(t *testing.T) {
	need(t, "v2", "containerd", "ctr", "podman")
	hull, control := runtimes(t)
	daemon(t, "containerd", "--root", "/run/c/root", "--state", "/run/c/state", "--address", "/run/c/sock")
	e := &engine{env: []string{"CONTAINERD_ADDRESS=/run/c/sock"}, clean: "ctr task kill -s 9 c && until ctr task delete c; do sleep 0.1; done; ctr container delete c"}
	e.must(t, "podman import -q "+busybox(t)+" busybox && podman save -q -o /run/saved.tar localhost/busybox")
	e.must(t, "until ctr version >/dev/null 2>&1; do sleep 0.5; done; ctr image import /run/saved.tar")
	e.all(t, hull, control, ctrV2)
}
