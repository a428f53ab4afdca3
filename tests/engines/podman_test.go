package engines

import (
	"os"
	"path/filepath"
	"testing"
)

// podmanConf is for a host without systemd and without CAP_SYS_RESOURCE.
const podmanConf = `[containers]
default_ulimits=["nofile=20000:20000","nproc=32768:32768"]
log_driver="k8s-file"
[engine]
cgroup_manager="cgroupfs"
events_logger="file"
`

// podman is an engine with the containers.conf that is given.
func podman(t *testing.T, conf string) *engine {
	t.Helper()
	e := &engine{env: []string{"CONTAINERS_CONF=" + containersConf(t, conf)}, clean: "podman rm -aft0"}
	e.must(t, "podman import -q "+busybox(t)+" busybox")
	return e
}

func containersConf(t *testing.T, conf string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "containers.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPodman(t *testing.T) {
	need(t, "v1", "podman")
	hull, control := runtimes(t)
	e := podman(t, podmanConf)
	for _, checks := range [][]check{podmanBasics, podmanNamespaces, podmanLimits, podmanMounts, podmanLife, podmanPods} {
		e.all(t, hull, control, checks)
	}
}

// podmanBasics are what everybody does.
var podmanBasics = []check{
	{"run", `podman --runtime $R run --rm busybox echo hi`, 0, "hi"},
	{"exit code", `podman --runtime $R run --rm busybox sh -c 'exit 3'`, 3, ""},
	{"failure", `podman --runtime $R run --rm busybox false`, 1, ""},
	{"runtime's error", `podman --runtime $R run --rm --sysctl kernel.shm_rmid_forced=7 busybox true`, 126, "invalid argument"},
	{"directory", `podman --runtime $R run --rm busybox /etc`, 126, "permission denied"},
	{"not executable", `podman --runtime $R run --rm busybox /etc/passwd`, 126, "permission denied"},
	{"not there", `podman --runtime $R run --rm busybox nothing`, 127, "not found"},
	{"killed", `podman --runtime $R run -d --name c busybox sleep 100; podman kill c; podman wait c; podman rm c`, 0, "137"},
	// conmon may come to the output before it comes to the client: what comes from that shows that it has
	{"terminal", `echo go | script -qec "podman --runtime $R run --rm -it busybox sh -c 'read go; ls -l /proc/self/fd/0'" /dev/null`, 0, "/dev/pts/0"},
	{"detach, logs and wait", `podman --runtime $R run -d --name c busybox sh -c 'echo logged; exit 5' && podman wait c; podman logs c; podman rm c`, 0, "logged"},
	{"exec", `podman --runtime $R run -d --name c busybox sleep 100 && podman exec -u user -e A=b -w /tmp c sh -c 'id -u; echo $A; pwd' | tr '\n' ' '; podman rm -ft0 c`, 0, "1000 b /tmp"},
	{"exec that fails", `podman --runtime $R run -d --name c busybox sleep 100; podman exec c nothing; code=$?; podman rm -ft0 c; exit $code`, 127, ""},
	{"pause and unpause", `podman --runtime $R run -d --name c busybox sleep 100; podman pause c && podman inspect -f '{{.State.Status}}' c; podman unpause c; podman rm -ft0 c`, 0, "paused"},
	{"kill", `podman --runtime $R run -d --name c busybox sh -c 'trap "exit 7" USR1; echo ready; while :; do sleep 0.1; done'; until podman logs c | grep -q ready; do sleep 0.1; done; podman kill -s USR1 c; podman wait c; podman rm c`, 0, "7"},
	{"stop", `podman --runtime $R run -d --name c busybox sleep 100; podman stop -t1 c; podman inspect -f '{{.State.ExitCode}}' c; podman rm c`, 0, "137"},
	{"top and stats", `podman --runtime $R run -d --name c busybox sleep 100; podman top c args; podman stats --no-stream c; podman rm -ft0 c`, 0, "sleep 100"},
	{"limits", `podman --runtime $R run --rm --memory 64m --pids-limit 50 --cpus 0.5 --ulimit nofile=100:200 --ulimit nproc=32768:32768 busybox sh -c 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max; ulimit -Sn; ulimit -Hn'`, 0, "67108864\n50000\n50\n100\n200\n"},
	// Podman 4.3 looks for conmon's file where conmon 2.1.6 does not write it: in its working directory.
	{"out of memory", `mkdir -p /run/oom; cd /run/oom; podman --runtime $R run -d --name c --memory 16m --memory-swap 16m busybox sh -c 'tail /dev/zero; sleep 100' >/dev/null; until ls | grep oom; do sleep 0.1; done` + podmanEnd, 0, "oom\n"},
	{"not out of memory", `mkdir -p /run/full; cd /run/full; podman --runtime $R run --rm --memory 16m --memory-swap 16m busybox sh -c 'kill -9 $$'; ls | grep . || echo "$? nothing"`, 0, "1 nothing\n"},
	{"privileged", `podman --runtime $R run --rm --privileged busybox mount -t tmpfs x /mnt`, 0, ""},
	{"read-only and tmpfs", `podman --runtime $R run --rm --read-only --tmpfs /mnt busybox sh -c 'echo x > /mnt/x; echo x > /etc/x'`, 1, "Read-only"},
	{"no new privileges", `podman --runtime $R run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status`, 0, "NoNewPrivs:\t1"},
	{"capabilities", `podman --runtime $R run --rm --cap-drop all --cap-add net_raw busybox sh -c 'cat /proc/self/status'`, 0, "CapEff:\t0000000000002000"},
	{"seccomp off", `podman --runtime $R run --rm --security-opt seccomp=unconfined busybox sh -c 'cat /proc/self/status'`, 0, "Seccomp:\t0"},
	{"seccomp", `podman --runtime $R run --rm busybox cat /proc/self/status`, 0, "Seccomp:\t2"},
	{"user by id", `podman --runtime $R run --rm --user 1234:5678 busybox id`, 0, "uid=1234(1234) gid=5678(5678)"},
	{"user and groups", `podman --runtime $R run --rm --user user --group-add 29 busybox id`, 0, "groups=29"},
	{"user namespace", `podman --runtime $R run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 busybox cat /proc/self/uid_map`, 0, "100000"},
	{"init", `podman --runtime $R run --rm --init busybox ps`, 0, "podman-init"},
	{"volumes", `mkdir -p /run/vol; echo v > /run/vol/f; podman --runtime $R run --rm -v /run/vol:/a:ro busybox sh -c 'cat /a/f; echo x > /a/f'`, 1, "v\n"},
	{"device", `podman --runtime $R run --rm --device /dev/fuse busybox stat -c '%F' /dev/fuse`, 0, "character special"},
	{"hostname and sysctl", `podman --runtime $R run --rm --hostname sails --sysctl net.ipv4.ip_forward=1 busybox sh -c 'cat /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_forward'`, 0, "sails\n1"},
	{"host namespaces", `podman --runtime $R run --rm --network host --pid host --ipc host --uts host busybox sh -c 'for n in net pid uts ipc; do readlink /proc/self/ns/$n; done' >/run/inside
		for n in net pid uts ipc; do readlink /proc/self/ns/$n; done | diff - /run/inside && echo same`, 0, "same"},
	{"pod", `podman --runtime $R pod create --name p --infra-image localhost/busybox --infra-command '/bin/sleep 100' --share net,ipc,uts,pid && podman --runtime $R run --rm --pod p busybox ps; code=$?; podman pod rm -t0 -f p; exit $code`, 0, "sleep 100"},
	{"build", `printf 'FROM localhost/busybox\nRUN echo built > /out\nRUN cat /out\n' | podman --runtime $R build -q -t built -f - . && podman --runtime $R run --rm built cat /out`, 0, "built"},
	{"healthcheck", `podman --runtime $R run -d --name c --health-cmd 'echo well' busybox sleep 100; podman healthcheck run c; code=$?; podman inspect -f '{{.State.Health.Status}}' c; podman rm -ft0 c >/dev/null; exit $code`, 0, "healthy"},
	{"many at once", `for i in 1 2 3 4 5 6 7 8; do podman --runtime $R run --rm --network none busybox echo done $i & done | sort | uniq -c | grep -c '  1 done'`, 0, "8\n"},
}

func TestBuildah(t *testing.T) {
	need(t, "v1", "podman", "buildah")
	hull, control := runtimes(t)
	podman(t, podmanConf).all(t, hull, control, []check{
		{"run", `c=$(buildah from --pull-never localhost/busybox) && buildah run --runtime $R $c -- echo hi; code=$?; buildah rm $c; exit $code`, 0, "hi"},
		{"exit code", `c=$(buildah from --pull-never localhost/busybox) && buildah run --runtime $R $c -- sh -c 'exit 3'; code=$?; buildah rm $c; exit $code`, 3, ""},
		{"build", `printf 'FROM localhost/busybox\nRUN echo built\n' | buildah build --runtime $R -f - .`, 0, "built"},
		{"build as a user", `printf 'FROM localhost/busybox\nUSER user\nWORKDIR /tmp\nRUN id -u; pwd\n' | buildah build --runtime $R -f - .`, 0, "1000\n/tmp\n"},
		{"build that fails", `printf 'FROM localhost/busybox\nRUN exit 7\n' | buildah build --runtime $R -f - .`, 7, "exit status 7"},
		{"terminal", `c=$(buildah from --pull-never localhost/busybox) && script -qec "buildah run -t --runtime $R $c -- ls -l /proc/self/fd/0" /dev/null; code=$?; buildah rm $c; exit $code`, 0, "/dev/pts/0"},
		{"user, volume and capabilities", `mkdir -p /run/vol; echo v >/run/vol/f; c=$(buildah from --pull-never localhost/busybox) && buildah run --user user -v /run/vol:/a --cap-drop all --runtime $R $c -- sh -c 'id -u; cat /a/f; grep CapBnd /proc/self/status'; code=$?; buildah rm $c; exit $code`, 0, "1000\nv\nCapBnd:\t0000000000000000"},
		{"limits of a build", `printf 'FROM localhost/busybox\nRUN cat /sys/fs/cgroup/memory/memory.limit_in_bytes\n' | buildah build --memory 64m --runtime $R -f - .`, 0, "67108864"},
		{"not there", `c=$(buildah from --pull-never localhost/busybox) && buildah run --runtime $R $c -- nothing; code=$?; buildah rm $c; exit $code`, 1, "executable file not found"},
	})
}
