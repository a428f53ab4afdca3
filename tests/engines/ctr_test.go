package engines

import "testing"

// ownContainerd has the functions `up`, which starts a containerd, and `down`. What it stores stays in between.
const ownContainerd = `
export CONTAINERD_ADDRESS=/run/oc/sock
up() {
	mkdir -p /run/oc
	containerd --root /run/oc/root --state /run/oc/state --address /run/oc/sock >>/run/oc/log 2>&1 & daemon=$!
	until ctr version >/dev/null 2>&1; do kill -0 $daemon || { tail /run/oc/log; exit 99; }; sleep 0.1; done
	ctr image ls -q | grep -q busybox || ctr image import /run/image.tar >/dev/null
}
down() {
	kill $daemon; wait
	rm -rf /run/oc
}
end() {
	ctr task kill -s 9 c >/dev/null; until ctr task delete c >/dev/null 2>&1; do sleep 0.1; done
	ctr container delete c
}
`

const (
	ctrRun      = `ctr run --runc-binary $R `
	ctrDetached = ctrRun + `-d localhost/busybox:latest c sleep 100; `
	ctrEnd      = `ctr task kill -s 9 c; until ctr task delete c >/dev/null 2>&1; do sleep 0.1; done; ctr container delete c; exit $code`
)

var ctrChecks = []check{
	{"run", ctrRun + `--rm localhost/busybox:latest c echo hi`, 0, "hi"},
	{"exit code", ctrRun + `--rm localhost/busybox:latest c sh -c 'exit 3'`, 3, ""},
	{"not there", ctrRun + `--rm localhost/busybox:latest c nothing; code=$?; ctr container delete c 2>/dev/null; exit $code`, 1, "executable file not found in $PATH"},
	{"exec", ctrDetached + `ctr task exec --exec-id e c echo inside; code=$?; ` + ctrEnd, 0, "inside"},
	{"exec as a user", ctrDetached + `ctr task exec --exec-id e --user 1000 --cwd /tmp c sh -c 'id -u; pwd'; code=$?; ` + ctrEnd, 0, "1000\n/tmp"},
	{"exec's exit code", ctrDetached + `ctr task exec --exec-id e c sh -c 'exit 9'; code=$?; ` + ctrEnd, 9, ""},
	{"exec in a terminal", ctrDetached + `script -qec "ctr task exec -t --exec-id e c ls -l /proc/self/fd/0" /dev/null; code=$?; ` + ctrEnd, 0, "/dev/pts/"},
	{"exec detached", ctrDetached + `ctr task exec -d --exec-id e c sh -c 'echo done >/tmp/out'; until ctr task exec --exec-id f c cat /tmp/out 2>/dev/null; do sleep 0.1; done; code=$?; ` + ctrEnd, 0, "done"},
	{"terminal", `script -qec "` + ctrRun + `--rm -t localhost/busybox:latest c ls -l /proc/self/fd/0" /dev/null`, 0, "/dev/pts/0"},
	{"pause and resume", ctrDetached + `ctr task pause c; ctr task ls; ctr task resume c; code=$?; ` + ctrEnd, 0, "PAUSED"},
	{"kill with a signal", ctrRun + `-d localhost/busybox:latest c sh -c 'trap "exit 7" USR1; : >/tmp/ready; while :; do sleep 0.1; done'; until ctr task exec --exec-id e c test -e /tmp/ready; do sleep 0.1; done; ctr task kill -s SIGUSR1 c; until ctr task ls | grep STOPPED; do sleep 0.1; done; ctr task delete c; ctr container delete c`, 0, "exit code 7"},
	{"kill of all", ctrRun + `-d --with-ns pid:/proc/1/ns/pid localhost/busybox:latest c sh -c 'sleep 77 & sleep 77'; until [ "$(pgrep -fc 'sleep 77$')" -ge 2 ]; do sleep 0.1; done; ctr task kill -a -s 9 c; until ctr task delete c >/dev/null 2>&1; do sleep 0.1; done; ctr container delete c; pgrep -f 'sleep 77$' || echo none`, 0, "none"},
	{"metrics", ctrDetached + `ctr task metrics c; code=$?; ` + ctrEnd, 0, "pids.current"},
	{"ps", ctrDetached + `ctr task ps c; code=$?; ` + ctrEnd, 0, "PID"},
	{"limits", ctrRun + `-d --memory-limit 67108864 --cpus 0.5 --cgroup /above/c localhost/busybox:latest c sleep 100; cat /sys/fs/cgroup/memory/above/c/memory.limit_in_bytes /sys/fs/cgroup/cpu/above/c/cpu.cfs_quota_us; code=$?; ` + ctrEnd, 0, "67108864\n50000"},
	{"seccomp", ctrRun + `--rm --seccomp localhost/busybox:latest c cat /proc/self/status`, 0, "Seccomp:\t2"},
	{"read-only and mounts", ctrRun + `--rm --read-only --mount type=tmpfs,dst=/mnt,options=rw localhost/busybox:latest c sh -c 'exec 2>&1; echo x >/mnt/x && cat /mnt/x; echo x >/etc/x'`, 1, "x\nsh: can't create /etc/x: Read-only"},
	{"events of out of memory", `ctr events >/run/events & ` + ctrRun + `-d --memory-limit 16777216 localhost/busybox:latest c sh -c 'until [ -e /go ]; do sleep 0.1; done; tail /dev/zero; sleep 100'; ctr task exec --exec-id e c touch /go; until grep -q /tasks/oom /run/events; do sleep 0.1; done; (` + ctrEnd + `); until grep -q /containers/delete /run/events; do sleep 0.1; done; kill $!; grep -o '/tasks/[a-z]*' /run/events | tr '\n' ' '`, 0, "/tasks/oom /tasks/exit /tasks/delete"},
	{"many at once", `for i in $(seq 10); do ` + ctrRun + `--rm localhost/busybox:latest c$i echo "done $i" & done | sort | uniq -c | grep -c '  1 done'`, 0, "10\n"},
	{"daemon killed", ownContainerd + `up; ` + ctrDetached + `kill -9 $daemon; wait; up; ctr task ls; ctr task exec --exec-id e c echo inside; end; down`, 0, "inside"},
	{"binary replaced", `cp "$R" /run/swap; ctr run --runc-binary /run/swap -d localhost/busybox:latest c sleep 100; rm /run/swap; cp "$R" /run/swap; ctr task exec --exec-id e c echo inside; code=$?; ` + ctrEnd, 0, "inside"},
	{"checkpoint", ctrDetached + `ctr task checkpoint --image-path /run/cp c; code=$?; ` + ctrEnd, 0, ""},
}

func TestContainerd(t *testing.T) {
	need(t, "v1", "containerd", "ctr", "podman")
	hull, control := runtimes(t)
	daemon(t, "containerd", "--root", "/run/c/root", "--state", "/run/c/state", "--address", "/run/c/sock")
	podman(t, podmanConf).must(t, "podman save -q -o /run/image.tar localhost/busybox")
	e := &engine{env: []string{"CONTAINERD_ADDRESS=/run/c/sock"}, clean: "ctr task kill -s 9 c && until ctr task delete c; do sleep 0.1; done; ctr container delete c"}
	e.must(t, "until ctr version >/dev/null 2>&1; do sleep 0.2; done; ctr image import /run/image.tar")
	e.all(t, hull, control, ctrChecks)
}
