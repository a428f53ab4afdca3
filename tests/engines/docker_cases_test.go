package engines

// cc is a container that sleeps; its checks end by removing it.
const (
	dockerCC  = `docker run -d --name cc --runtime $R busybox sleep 100 >/dev/null; `
	dockerEnd = `; code=$?; docker rm -f cc >/dev/null; exit $code`
)

// dockerNamespaces are what a container shares, and what it has for itself.
var dockerNamespaces = []check{
	{"ipc", dockerCC + `i() { docker run --rm --runtime $R "$@" busybox readlink /proc/self/ns/ipc; }
		docker run -d --ipc shareable --name shared --runtime $R busybox sleep 100 >/dev/null
		[ "$(i --ipc container:shared)" = "$(docker exec shared busybox readlink /proc/self/ns/ipc)" ] && [ "$(i --ipc host)" = "$(readlink /proc/self/ns/ipc)" ] && [ "$(i)" != "$(readlink /proc/self/ns/ipc)" ] && echo as asked
		docker rm -f cc shared >/dev/null`, 0, "as asked"},
	{"host namespaces", `docker run --rm --network host --pid host --uts host --ipc host --runtime $R busybox sh -c 'for n in net pid uts ipc; do readlink /proc/self/ns/$n; done' >/run/inside
		for n in net pid uts ipc; do readlink /proc/self/ns/$n; done | diff - /run/inside && echo same`, 0, "same"},
	{"own namespaces", `docker run --rm --runtime $R busybox sh -c 'for n in net pid uts ipc mnt; do readlink /proc/self/ns/$n; done' >/run/inside
		for n in net pid uts ipc mnt; do readlink /proc/self/ns/$n; done | grep -Fxf - /run/inside || echo none shared`, 0, "none shared"},
	{"no network", `docker run --rm --network none --runtime $R busybox ls /sys/class/net`, 0, "lo\n"},
	{"cgroup namespace private", `docker run --rm --cgroupns private --runtime $R busybox grep memory /proc/self/cgroup`, 0, ":memory:/\n"},
	{"cgroup namespace of the host", `docker run --rm --cgroupns host --runtime $R busybox grep memory /proc/self/cgroup`, 0, ":memory:/docker/"},
	{"cgroup parent", `docker run --rm --cgroupns host --cgroup-parent /above/it --runtime $R busybox grep memory /proc/self/cgroup`, 0, ":memory:/above/it/"},
	{"hostname", `docker run --rm --hostname sails --domainname sea --runtime $R busybox sh -c 'hostname; cat /proc/sys/kernel/domainname'`, 0, "sails\nsea"},
	{"sysctl", `docker run --rm --sysctl net.ipv4.ip_forward=0 --sysctl kernel.shm_rmid_forced=1 --runtime $R busybox cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced`, 0, "0\n1"},
}

// dockerLimits are what a container may have of the host.
var dockerLimits = []check{
	{"memory, cpus and pids", `docker run --rm --memory 64m --cpus 0.5 --pids-limit 50 --runtime $R busybox sh -c 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max'`, 0, "67108864\n50000\n50\n"},
	{"update of cpus and pids", dockerCC + `docker update --cpus 0.25 --pids-limit 60 cc && docker exec cc sh -c 'cd /sys/fs/cgroup; cat cpu/cpu.cfs_quota_us pids/pids.max'` + dockerEnd, 0, "25000\n60\n"},
	{"cpuset and shares", `docker run --rm --cpuset-cpus 0 --cpu-shares 512 --runtime $R busybox sh -c 'cd /sys/fs/cgroup; cat cpuset/cpuset.cpus cpu/cpu.shares'`, 0, "0\n512\n"},
	{"ulimit", `docker run --rm --ulimit nofile=100:200 --ulimit core=0 --runtime $R busybox sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'`, 0, "100\n200\n0\n"},
	{"oom score", `docker run --rm --oom-score-adj 321 --runtime $R busybox cat /proc/self/oom_score_adj`, 0, "321"},
	{"size of /dev/shm", `docker run --rm --shm-size 5m --runtime $R busybox df -k /dev/shm`, 0, " 5120 "},
	{"stats", `docker run -d --name cc --memory 64m --runtime $R busybox sleep 100 >/dev/null; docker stats --no-stream --format '{{.MemUsage}} {{.PIDs}} pid' cc` + dockerEnd, 0, "/ 64MiB 1 pid"},
}

// dockerMounts are what a container sees of files and devices.
var dockerMounts = []check{
	{"volume", `docker run --rm -v vol:/data --runtime $R busybox sh -c 'echo kept >/data/f' && docker run --rm -v vol:/data --runtime $R busybox cat /data/f; code=$?; docker volume rm vol; exit $code`, 0, "kept"},
	{"read-only volume", `mkdir -p /run/vol; docker run --rm -v /run/vol:/data:ro --runtime $R busybox sh -c 'echo x >/data/f'`, 1, "Read-only"},
	{"volume that is a file", `echo text >/run/file; docker run --rm -v /run/file:/etc/motd --runtime $R busybox cat /etc/motd`, 0, "text"},
	{"propagation rslave", `mkdir -p /run/prop; docker run -d --name cc -v /run/prop:/a:rslave --runtime $R busybox sleep 100 >/dev/null; mkdir -p /run/prop/m; mount -t tmpfs t /run/prop/m; touch /run/prop/m/seen; docker exec cc ls /a/m; umount /run/prop/m` + dockerEnd, 0, "seen"},
	{"propagation rshared", `mkdir -p /run/prop/n; docker run --rm -v /run/prop:/a:rshared --cap-add sys_admin --security-opt seccomp=unconfined --runtime $R busybox sh -c 'mount -t tmpfs t /a/n && echo x >/a/n/out'; ls /run/prop/n; umount /run/prop/n`, 0, "out"},
	{"propagation private", `mkdir -p /run/prop/p; docker run -d --name cc -v /run/prop:/a:rprivate --runtime $R busybox sleep 100 >/dev/null; mount -t tmpfs t /run/prop/p; touch /run/prop/p/seen; docker exec cc ls -a /a/p; umount /run/prop/p` + dockerEnd, 0, ".\n..\n"},
	{"tmpfs with options", `docker run --rm --tmpfs /mnt:size=1m,mode=1770,uid=1000 --runtime $R busybox grep ' /mnt ' /proc/mounts`, 0, "size=1024k,mode=1770,uid=1000"},
	{"device", `docker run --rm --device /dev/fuse:/dev/other:r --runtime $R busybox stat -c '%F' /dev/other`, 0, "character special"},
	{"device cgroup rules", `docker run --rm --device-cgroup-rule 'c 10:229 rwm' --cap-add mknod --runtime $R busybox sh -c 'exec 2>&1; busybox mknod /tmp/fuse c 10 229 && : </tmp/fuse && echo open; busybox mknod /tmp/kmsg c 1 11; : </tmp/kmsg'`, 1, "open\nsh: can't open /tmp/kmsg: Operation not permitted"},
	{"cp", dockerCC + `echo into >/run/into; docker cp /run/into cc:/tmp/into && docker exec cc cat /tmp/into && docker cp cc:/etc/passwd - | tar -tf -` + dockerEnd, 0, "into\npasswd"},
}

// dockerProcess are who and what the process is.
var dockerProcess = []check{
	{"user by id", `docker run --rm --user 1234:5678 --group-add 29 --runtime $R busybox id`, 0, "uid=1234 gid=5678 groups=29"},
	{"user by name", `docker run --rm --user user --runtime $R busybox id`, 0, "uid=1000(user) gid=1000(user)"},
	{"init", `docker run --rm --init --runtime $R busybox ps`, 0, "docker-init"},
	{"seccomp unconfined", `docker run --rm --security-opt seccomp=unconfined --runtime $R busybox cat /proc/self/status`, 0, "Seccomp:\t0"},
	{"seccomp profile", `echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]}' >/run/profile.json
		docker run --rm --security-opt seccomp=/run/profile.json --runtime $R busybox busybox mkdir /x`, 1, "Cannot assign requested address"},
	{"read-only paths", `docker run --rm --runtime $R busybox sh -c 'echo 1 >/proc/sys/kernel/panic'`, 1, "/proc/sys/kernel/panic: Read-only"},
	{"masked paths", `docker run --rm --runtime $R busybox sh -c 'cat /proc/keys | wc -c; ls -A /sys/firmware | wc -l'`, 0, "0\n0\n"},
	{"exec in a terminal", dockerCC + `script -qec "docker exec -it cc ls -l /proc/self/fd/0" /dev/null` + dockerEnd, 0, "/dev/pts/"},
	{"exec detached", dockerCC + `docker exec -d cc sh -c 'echo done >/tmp/out'; until docker exec cc cat /tmp/out 2>/dev/null; do sleep 0.1; done` + dockerEnd, 0, "done"},
	{"exec with input", dockerCC + `echo through | docker exec -i cc cat` + dockerEnd, 0, "through"},
	{"exec's exit code", dockerCC + `docker exec cc sh -c 'exit 9'` + dockerEnd, 9, ""},
	{"exec that is killed", dockerCC + `docker exec cc sh -c 'kill -9 $$'` + dockerEnd, 137, ""},
	{"exec of what is not executable", dockerCC + `docker exec cc /etc/passwd` + dockerEnd, 126, "permission denied"},
}
