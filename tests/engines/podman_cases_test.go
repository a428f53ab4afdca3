package engines

// c is a container that sleeps; its checks end by removing it.
const (
	podmanC   = `podman --runtime $R run -d --name c busybox sleep 100 >/dev/null; `
	podmanEnd = `; code=$?; podman rm -ft0 c >/dev/null; exit $code`
)

// podmanNamespaces are what a container shares, and what it has for itself.
var podmanNamespaces = []check{
	{"ipc, pid, network and uts of another", podmanC + `podman --runtime $R run --rm --ipc container:c --pid container:c --network container:c --uts container:c busybox sh -c 'for n in ipc pid net uts; do readlink /proc/self/ns/$n; done' >/run/inside
		podman exec c sh -c 'for n in ipc pid net uts; do readlink /proc/self/ns/$n; done' | diff - /run/inside && echo same` + podmanEnd, 0, "same"},
	{"user namespace auto", `podman --runtime $R run --rm --userns auto:size=1000 busybox cat /proc/self/uid_map`, 0, " 1000\n"},
	{"user namespace of another", `podman --runtime $R run -d --name c --uidmap 0:100000:65536 --gidmap 0:100000:65536 busybox sleep 100 >/dev/null; podman --runtime $R run --rm --userns container:c busybox cat /proc/self/uid_map` + podmanEnd, 0, "100000      65536"},
	{"exec in a user namespace", `podman --runtime $R run -d --name c --uidmap 0:100000:65536 --gidmap 0:100000:65536 busybox sleep 100 >/dev/null; podman exec -u user c sh -c 'id -u; cat /proc/self/uid_map'` + podmanEnd, 0, "1000\n         0     100000      65536"},
	{"cgroup namespace private", `podman --runtime $R run --rm --cgroupns private busybox grep memory /proc/self/cgroup`, 0, ":memory:/\n"},
	{"cgroup namespace of the host", `podman --runtime $R run --rm --cgroupns host busybox grep memory /proc/self/cgroup`, 0, ":memory:/libpod_parent/"},
	{"cgroup parent", `podman --runtime $R run --rm --cgroupns host --cgroup-parent /above/it busybox grep memory /proc/self/cgroup`, 0, ":memory:/above/it/"},
	{"no network", `podman --runtime $R run --rm --network none busybox ls /sys/class/net`, 0, "lo\n"},
}

// podmanLimits are what a container may have of the host.
var podmanLimits = []check{
	{"cpuset and shares", `podman --runtime $R run --rm --cpuset-cpus 0 --cpu-shares 512 busybox sh -c 'cd /sys/fs/cgroup; cat cpuset/cpuset.cpus cpu/cpu.shares'`, 0, "0\n512\n"},
	{"oom score", `podman --runtime $R run --rm --oom-score-adj 321 busybox cat /proc/self/oom_score_adj`, 0, "321"},
	{"size of /dev/shm", `podman --runtime $R run --rm --shm-size 5m busybox df -k /dev/shm`, 0, " 5120 "},
	{"stats", `podman --runtime $R run -d --name c --memory 64m busybox sleep 100 >/dev/null; podman stats --no-stream --format '{{.MemUsage}} {{.PIDS}} pid' c` + podmanEnd, 0, "/ 67.11MB 1 pid"},
	{"update", podmanC + `podman update --memory 33554432 --memory-swap 33554432 --cpus 0.25 c && podman exec c sh -c 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us'` + podmanEnd, 0, "33554432\n25000\n"},
	{"update behind podman's back", podmanC + `$R update --memory 33554432 --memory-swap 33554432 --cpu-quota 25000 --pids-limit 60 $(podman inspect -f '{{.Id}}' c) && podman exec c sh -c 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max'` + podmanEnd, 0, "33554432\n25000\n60\n"},
}

// podmanMounts are what a container sees of files and devices.
var podmanMounts = []check{
	{"named volume", `podman --runtime $R run --rm -v vol:/data busybox sh -c 'echo kept >/data/f' && podman --runtime $R run --rm -v vol:/data busybox cat /data/f; code=$?; podman volume rm -f vol; exit $code`, 0, "kept"},
	{"propagation rslave", `mkdir -p /run/prop; podman --runtime $R run -d --name c -v /run/prop:/a:rslave busybox sleep 100 >/dev/null; mkdir -p /run/prop/m; mount -t tmpfs t /run/prop/m; touch /run/prop/m/seen; podman exec c ls /a/m; umount /run/prop/m` + podmanEnd, 0, "seen"},
	{"propagation rshared", `mkdir -p /run/prop/n; podman --runtime $R run --rm -v /run/prop:/a:rshared --cap-add sys_admin --security-opt seccomp=unconfined busybox sh -c 'mount -t tmpfs t /a/n && echo x >/a/n/out'; ls /run/prop/n; umount /run/prop/n`, 0, "out"},
	{"overlay volume", `mkdir -p /run/vol; echo v >/run/vol/f; podman --runtime $R run --rm -v /run/vol:/a:O busybox sh -c 'echo x >/a/f; cat /a/f'; cat /run/vol/f`, 0, "x\nv\n"},
	{"device cgroup rules", `podman --runtime $R run --rm --device-cgroup-rule 'c 10:229 rwm' --cap-add mknod busybox sh -c 'exec 2>&1; busybox mknod /tmp/fuse c 10 229 && : </tmp/fuse && echo open; busybox mknod /tmp/kmsg c 1 11; : </tmp/kmsg'`, 1, "open\nsh: can't open /tmp/kmsg: Operation not permitted"},
	{"cp", podmanC + `echo into >/run/into; podman cp /run/into c:/tmp/into && podman exec c cat /tmp/into && podman cp c:/etc/passwd - | tar -tf -` + podmanEnd, 0, "into\npasswd"},
	{"seccomp profile", `echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]}' >/run/profile.json
		podman --runtime $R run --rm --security-opt seccomp=/run/profile.json busybox busybox mkdir /x`, 1, "Cannot assign requested address"},
	{"mount unmasked", `podman --runtime $R run --rm --security-opt mask=/etc --security-opt unmask=/proc/keys busybox ls -A /etc`, 0, ""},
}

// podmanLife are how containers begin, live and end.
var podmanLife = []check{
	{"engine's error", `podman --runtime $R run --rm --memory 1k --pids-limit x busybox true`, 125, "x"},
	{"terminal that is resized", resized + `resized "podman --runtime $R run --rm -it busybox sh -c \"echo ready; until busybox stty size | grep -q '33 99'; do sleep 0.1; done; echo resized; sleep 1; exit 6\""`, 6, "resized"},
	{"exec that is resized", resized + podmanC + `resized "podman exec -it c sh -c \"echo ready; until busybox stty size | grep -q '33 99'; do sleep 0.1; done; echo resized; sleep 1; exit 6\""` + podmanEnd, 6, "resized"},
	{"attach", attached + `podman --runtime $R run -di --name c busybox sh -c 'read line; echo "got $line"; read more; exit 4' >/dev/null; attached podman attach c; podman wait c` + podmanEnd, 0, "got words\n\n4\n"},
	{"exec detached", podmanC + `podman exec -d c sh -c 'echo done >/tmp/out'; until podman exec c cat /tmp/out 2>/dev/null; do sleep 0.1; done` + podmanEnd, 0, "done"},
	{"exec in a terminal", podmanC + `script -qec "podman exec -it c ls -l /proc/self/fd/0" /dev/null` + podmanEnd, 0, "/dev/pts/"},
	{"exec with input", podmanC + `echo through | podman exec -i c cat` + podmanEnd, 0, "through"},
	{"exec privileged", podmanC + `podman exec --privileged c mount -t tmpfs x /mnt` + podmanEnd, 0, ""},
	{"exec preserves descriptors", podmanC + `podman exec --preserve-fds 1 c sh -c 'cat <&3' 3<<<handed` + podmanEnd, 0, "handed"},
	{"exec's exit code", podmanC + `podman exec c sh -c 'exit 9'` + podmanEnd, 9, ""},
	{"exec of what is not executable", podmanC + `podman exec c /etc/passwd` + podmanEnd, 126, "permission denied"},
	{"stop in time", `podman --runtime $R run -d --name c busybox sh -c 'trap "exit 8" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null; until podman logs c | grep -q ready; do sleep 0.1; done; podman stop -t 30 c; podman inspect -f 'code {{.State.ExitCode}}' c; podman rm c`, 0, "code 8"},
	{"restart", podmanC + `podman exec c sh -c 'echo kept >/tmp/f'; podman --runtime $R restart -t 0 c && podman exec c cat /tmp/f` + podmanEnd, 0, "kept"},
	{"restart policy", `podman --runtime $R run --name c -d --restart on-failure:2 busybox false >/dev/null; until [ "$(podman inspect -f '{{.RestartCount}} {{.State.Status}}' c)" = "2 exited" ]; do sleep 0.2; done; podman logs c; echo restarted; podman rm -f c`, 0, "restarted"},
	{"events", `podman --runtime $R run --name c busybox sh -c 'exit 5'; podman rm c; podman events --stream=false --filter container=c --format '{{.Status}}' | tr '\n' ' '`, 0, "create init start attach died remove"},
	{"sick", `podman --runtime $R run -d --name c --health-cmd false --health-retries 1 busybox sleep 100 >/dev/null; podman healthcheck run c; podman inspect -f '{{.State.Health.Status}}' c` + podmanEnd, 0, "unhealthy"},
	{"binary replaced", `cp "$R" /run/swap; podman --runtime /run/swap run -d --name c busybox sleep 100 >/dev/null; rm /run/swap; cp "$R" /run/swap; podman --runtime /run/swap exec c echo inside; podman --runtime /run/swap stop -t 0 c; podman inspect -f '{{.State.ExitCode}}' c` + podmanEnd, 0, "inside\nc\n137"},
	{"monitor killed", podmanC + `pid=$(podman inspect -f '{{.State.Pid}}' c); kill -9 $(podman inspect -f '{{.State.ConmonPid}}' c); podman exec c echo inside; podman kill c >/dev/null; while kill -0 $pid 2>/dev/null; do sleep 0.1; done; podman rm -ft0 c >/dev/null; podman ps -aq`, 0, "inside\n"},
	{"sdnotify", sdnotify + `notified podman --runtime $R run -d --name c --sdnotify container busybox sh -c '/bin/probe notify READY=1; sleep 100'; podman rm -ft0 c >/dev/null`, 0, "READY=1"},
	{"checkpoint", podmanC + `podman --runtime $R container checkpoint c && podman --runtime $R container restore c && podman exec c echo inside` + podmanEnd, 0, "inside"},
}

// sdnotify has a function that runs a command under a service manager that waits for READY=1.
const sdnotify = `notified() {
	perl -MSocket -e '$| = 1; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un("/run/manager")); print "$m\n" while defined recv(S, $m, 4096, 0)' >/run/heard & manager=$!
	until [ -S /run/manager ]; do sleep 0.1; done
	NOTIFY_SOCKET=/run/manager "$@"
	until grep READY /run/heard; do sleep 0.1; done
	kill $manager; rm -f /run/manager
}
`

// podmanPods are several containers at once.
var podmanPods = []check{
	{"play kube", `cat >/run/pod.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: one
    image: localhost/busybox
    command: [/bin/sh, -c, "echo played >/shared/f; sleep 100"]
    resources: {limits: {memory: 64Mi}}
    securityContext: {readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: v, mountPath: /shared}]
  - name: two
    image: localhost/busybox
    command: [/bin/sleep, "100"]
    volumeMounts: [{name: v, mountPath: /shared}]
  volumes: [{name: v, hostPath: {path: /run/kube, type: DirectoryOrCreate}}]
END
		mkdir -p /run/kube; podman --runtime $R play kube --network none /run/pod.yaml && podman exec p-two /bin/cat /shared/f; podman exec p-one /bin/cat /sys/fs/cgroup/memory/memory.limit_in_bytes; podman --runtime $R play kube --down /run/pod.yaml`, 0, "played\n67108864\n"},
	{"pod's life", `podman --runtime $R pod create --name p --share net,ipc,uts >/dev/null; podman --runtime $R run -d --pod p --name a busybox sleep 100 >/dev/null; podman pod pause p; podman pod inspect -f '{{.State}}' p; podman pod unpause p; podman pod stop -t 0 p; podman --runtime $R pod start p; podman exec a echo inside; podman pod rm -ft0 p >/dev/null`, 0, "inside"},
}
