package engines

// ownDaemon has the functions `up FLAG...`, which starts a dockerd whose default runtime
// is $BINARY, and `down`. Both may be used several times: what the daemon stores stays.
const ownDaemon = `
export DOCKER_HOST=unix:///run/own/sock DOCKER_BUILDKIT=0
up() {
	mkdir -p /run/own; rm -f /run/own/pid /run/own/sock
	dockerd --data-root /run/own/data --exec-root /run/own/exec -H $DOCKER_HOST --pidfile /run/own/pid --bridge none --iptables=false \
		--add-runtime "own=$BINARY" --default-runtime own "$@" >>/run/own/log 2>&1 &
	until docker version >/dev/null 2>&1; do kill -0 $! || { tail /run/own/log; exit 99; }; sleep 0.1; done
	docker image inspect busybox >/dev/null 2>&1 || docker import /run/busybox.tar busybox >/dev/null
}
down() {
	code=$?
	kill "$(cat /run/own/pid)"; wait
	rm -rf /run/own
	exit $code
}
`

// buildKit starts such a daemon with $BINARY as the program that BuildKit runs.
const buildKit = ownDaemon + `export DOCKER_BUILDKIT=1; mkdir -p /run/own/bin; ln -sf "$BINARY" /run/own/bin/runc; PATH=/run/own/bin:$PATH up
	`

// dockerDaemons are what needs a daemon of its own.
var dockerDaemons = []check{
	{"build", ownDaemon + `up; printf 'FROM busybox\nRUN echo built >/out && id -u >>/out\nUSER user\nWORKDIR /tmp\nRUN pwd; id -u\n' | docker build --network none -t built - && docker run --rm built cat /out; down`, 0, "/tmp\n1000\n"},
	{"build that fails", ownDaemon + `up; printf 'FROM busybox\nRUN exit 7\n' | docker build --network none -; down`, 7, "returned a non-zero code: 7"},
	// dockerd's BuildKit runs what is called runc in its PATH, whatever the default runtime is.
	{"build with BuildKit", buildKit + `printf 'FROM busybox\nRUN echo built >/out && id -u >>/out\nUSER user\nWORKDIR /tmp\nRUN pwd; id -u\n' | docker build --progress plain --network none -t built - && docker run --rm built cat /out; down`, 0, "built\n0\n"},
	{"build with BuildKit that fails", buildKit + `printf 'FROM busybox\nRUN exit 7\n' | docker build --progress plain --network none -; down`, 1, "exit code: 7"},
	{"userns-remap", ownDaemon + `up --userns-remap engine
		docker run --rm busybox cat /proc/self/uid_map; docker run --rm busybox sh -c 'echo x >/f && stat -c "owner %u" /f'
		docker run --rm --userns host busybox cat /proc/self/uid_map; down`, 0, "300000      65536\nowner 0\n         0          0 4294967295"},
	{"userns-remap and exec", ownDaemon + `up --userns-remap engine; docker run -d --name cc --read-only --tmpfs /tmp busybox sleep 100 >/dev/null
		docker exec -it cc true; docker exec -u user cc sh -c 'id -u; cat /proc/self/uid_map'; docker stop -t 0 cc; down`, 0, "1000\n         0     300000      65536\ncc"},
	{"daemon killed with live restore", ownDaemon + `up --live-restore; docker run -d --name cc busybox sh -c 'echo first; sleep 100' >/dev/null; pid=$(docker inspect -f '{{.State.Pid}}' cc)
		kill -9 "$(cat /run/own/pid)"; sleep 0.3; kill -0 $pid && echo lives
		up --live-restore; docker inspect -f '{{.State.Status}}' cc; docker exec cc echo inside; docker logs cc; docker stop -t 0 cc; docker inspect -f '{{.State.ExitCode}}' cc; down`, 0, "lives\nrunning\ninside\nfirst\ncc\n137\n"},
	{"daemon killed without live restore", ownDaemon + `up; docker run -d --stop-timeout 1 --name cc busybox sleep 100 >/dev/null; kill -9 "$(cat /run/own/pid)"; sleep 0.3
		up; docker inspect -f '{{.State.Status}}' cc; docker start cc; docker exec cc echo inside; docker rm -f cc; down`, 0, "exited\ncc\ninside\ncc\n"},
	{"default runtime", ownDaemon + `up; docker info -f 'default {{.DefaultRuntime}}'; docker run --rm busybox true && echo ran; down`, 0, "default own\nran\n"},
	{"stopped daemon", ownDaemon + `up; docker run -d --stop-timeout 1 --name cc --restart always busybox sleep 100 >/dev/null; kill "$(cat /run/own/pid)"; wait
		up; until docker exec cc echo again 2>/dev/null; do sleep 0.1; done; docker rm -f cc; down`, 0, "again\ncc"},
}
