package engines

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// daemon starts a program that ends with the test, and shows what it has written if that fails.
func daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s: %s", name, text[max(0, len(text)-5000):])
		}
	})
}

func TestDocker(t *testing.T) {
	need(t, "v1", "dockerd")
	hull, control := runtimes(t)
	hull.name = "hull" // what --runtime takes
	if control.path != "" {
		control.name = "runc"
	}
	e := &engine{env: []string{"DOCKER_HOST=unix:///run/dk/docker.sock"}, clean: "docker rm -f cc"}
	args := []string{
		"--data-root", "/run/dk/data", "--exec-root", "/run/dk/exec", "-H", "unix:///run/dk/docker.sock", "--pidfile", "/run/dk/pid",
		"--add-runtime", "hull=" + hull.path, "--add-runtime", "swap=/run/swap",
	}
	if err := os.MkdirAll("/run/dk", 0o755); err != nil {
		t.Fatal(err)
	}
	daemon(t, "dockerd", args...)
	e.must(t, "until docker version >/dev/null 2>&1; do sleep 0.2; done; docker import "+busybox(t)+" busybox; cp "+busybox(t)+" /run/busybox.tar")
	// Its control fails where root lacks a capability; hull warns and goes on.
	e.all(t, hull, runtime{}, []check{
		{"privileged", `docker run --rm --privileged --runtime $R busybox mount -t tmpfs x /mnt`, 0, ""},
		{"exec privileged", dockerCC + `caps=$(docker exec --privileged cc awk '/CapEff/ { print $2 }' /proc/self/status); [ $((0x$caps >> 21 & 1)) = 1 ] && echo CAP_SYS_ADMIN` + dockerEnd, 0, "CAP_SYS_ADMIN"},
	})
	// Daemons last: without a bridge, they take away the first one's.
	for _, checks := range [][]check{dockerBasics, dockerNamespaces, dockerLimits, dockerMounts, dockerProcess, dockerLife, dockerDaemons} {
		e.all(t, hull, control, checks)
	}
}

// dockerBasics are what everybody does.
var dockerBasics = []check{
	{"run", `docker run --rm --runtime $R busybox echo hi`, 0, "hi"},
	{"exit code", `docker run --rm --runtime $R busybox sh -c 'exit 3'`, 3, ""},
	{"failure", `docker run --rm --runtime $R busybox false`, 1, ""},
	{"runtime's error", `docker run --rm --sysctl kernel.shm_rmid_forced=7 --runtime $R busybox true`, 125, "invalid argument"},
	{"volume of another kind", `docker run --rm -v /etc/passwd:/tmp --runtime $R busybox true`, 125, "Are you trying to mount a directory onto a file"},
	{"directory", `docker run --rm --runtime $R busybox /etc`, 126, "permission denied"},
	{"not executable", `docker run --rm --runtime $R busybox /etc/passwd`, 126, "permission denied"},
	{"not there", `docker run --rm --runtime $R busybox nothing`, 127, "executable file not found"},
	{"killed", `docker run --runtime $R -d --name cc busybox sleep 100; docker kill cc; docker wait cc; docker rm cc`, 0, "137"},
	{"terminal", `script -qec "docker run --rm -it --runtime $R busybox ls -l /proc/self/fd/0" /dev/null`, 0, "/dev/pts/0"},
	{"logs", `docker run -d --name cc --runtime $R busybox echo logged; docker wait cc; docker logs cc; docker rm cc`, 0, "logged"},
	{"exec", `docker run -d --name cc --runtime $R busybox sleep 100; docker exec -u user -e A=b -w /tmp cc sh -c 'id -u; echo $A; pwd' | tr '\n' ' '; docker rm -f cc`, 0, "1000 b /tmp"},
	{"exec that fails", `docker run -d --name cc --runtime $R busybox sleep 100; docker exec cc nothing; code=$?; docker rm -f cc; exit $code`, 126, ""},
	{"pause and unpause", `docker run -d --name cc --runtime $R busybox sleep 100; docker pause cc; docker inspect -f '{{.State.Status}}' cc; docker unpause cc; docker rm -f cc`, 0, "paused"},
	{"update", `docker run -d --name cc --memory 32m --memory-swap 64m --runtime $R busybox sleep 100; docker update --memory 48m cc; docker exec cc cat /sys/fs/cgroup/memory/memory.limit_in_bytes; docker rm -f cc`, 0, "50331648"},
	{"stop", `docker run -d --name cc --runtime $R busybox sleep 100; docker stop -t1 cc; docker inspect -f '{{.State.ExitCode}}' cc; docker rm cc`, 0, "137"},
	{"top", `docker run -d --name cc --runtime $R busybox sleep 100; docker top cc; docker rm -f cc`, 0, "sleep 100"},
	{"healthcheck", `docker run -d --name cc --health-cmd 'echo well' --health-interval 1s --runtime $R busybox sleep 100; until docker inspect -f '{{.State.Health.Status}}' cc | grep -w healthy; do sleep 0.2; done; docker inspect -f '{{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{end}}' cc; docker rm -f cc`, 0, "healthy\n0 well"},
	{"restart policy", `docker run --name cc -d --restart on-failure:2 --runtime $R busybox false; until [ "$(docker inspect -f '{{.RestartCount}} {{.State.Status}}' cc)" = "2 exited" ]; do sleep 0.2; done; docker inspect -f 'restarts {{.RestartCount}}' cc; docker rm cc`, 0, "restarts 2"},
	{"read-only and tmpfs", `docker run --rm --read-only --tmpfs /mnt --runtime $R busybox sh -c 'echo x > /mnt/x; echo x > /etc/x'`, 1, "Read-only"},
	{"no new privileges", `docker run --rm --security-opt no-new-privileges --runtime $R busybox grep NoNewPrivs /proc/self/status`, 0, "NoNewPrivs:\t1"},
	{"capabilities", `docker run --rm --cap-drop all --cap-add net_raw --runtime $R busybox cat /proc/self/status`, 0, "CapEff:\t0000000000002000"},
	{"seccomp", `docker run --rm --runtime $R busybox cat /proc/self/status`, 0, "Seccomp:\t2"},
	{"shared namespaces", `docker run -d --name cc --runtime $R busybox sleep 100; docker run --rm --network container:cc --pid container:cc --runtime $R busybox ps; docker rm -f cc`, 0, "sleep 100"},
}
