package engines

// resized is a script that makes the terminal of what $1 runs 33 by 99 when that says it is ready.
const resized = `resized() {
	: >/run/screen
	script -qefc "tty >/run/tty; $1" /run/screen >/dev/null &
	until grep -q 'ready.$' /run/screen; do sleep 0.1; done
	until grep -q 'resized.$' /run/screen; do # once may be too early for the client
		stty -F "$(cat /run/tty)" rows 44 cols 99; sleep 0.1
		stty -F "$(cat /run/tty)" rows 33 cols 99; sleep 0.3
	done 2>/dev/null
	wait $!; code=$?
	cat /run/screen
	return $code
}
`

// attached gives input to a client, and more when it has shown output: what a container writes
// at its end may not come to a client any more.
const attached = `attached() {
	: >/run/out
	{ echo words; until grep -q got /run/out; do sleep 0.1; done; echo more; } | "$@" >/run/out; code=$?
	cat /run/out
	return $code
}
`

// dockerOOM kills a container when the daemon knows that it was out of memory. Its shim listens
// after the start, and to the end at most: what happens has to wait for it.
const dockerOOM = `since=$(date +%s.%N)
	happened() { docker events --since $since --until "$(date +%s.%N)" --filter container=cc --filter event=start --filter event=oom --filter event=die --filter event=destroy --format '{{.Action}} {{index .Actor.Attributes "exitCode"}}'; }
	docker run -d --name cc --memory 16m --memory-swap 16m --runtime $R busybox sh -c 'until [ -e /go ]; do sleep 0.1; done; tail /dev/zero; sleep 100' >/dev/null
	docker exec cc touch /go
	until happened | grep -q oom; do sleep 0.1; done
	docker kill cc >/dev/null
`

// dockerLife are how containers begin, live and end.
var dockerLife = []check{
	{"daemon's error", `docker run --rm --memory 1k --runtime $R busybox true`, 125, "Minimum memory limit"},
	{"terminal that is resized", resized + `resized "docker run --rm -it --runtime $R busybox sh -c \"echo ready; until busybox stty size | grep -q '33 99'; do sleep 0.1; done; echo resized; sleep 1; exit 6\""`, 6, "resized"},
	{"exec that is resized", resized + dockerCC + `resized "docker exec -it cc sh -c \"echo ready; until busybox stty size | grep -q '33 99'; do sleep 0.1; done; echo resized; sleep 1; exit 6\""` + dockerEnd, 6, "resized"},
	{"attach", attached + `docker run -di --name cc --runtime $R busybox sh -c 'read line; echo "got $line"; read more; exit 4' >/dev/null; attached docker attach cc` + dockerEnd, 4, "got words"},
	{"signals", `docker run -d --name cc --runtime $R busybox sh -c 'trap "echo caught; exit 7" USR1; echo ready; while :; do sleep 0.1; done' >/dev/null; until docker logs cc | grep -q ready; do sleep 0.1; done; docker kill -s USR1 cc; docker wait cc; docker logs cc; docker rm cc`, 0, "7\nready\ncaught"},
	{"signals by the client", `docker run --rm --name cc --runtime $R busybox sh -c 'trap "echo caught; exit 7" TERM; echo ready; while :; do sleep 0.1; done' >/run/out & until grep -q ready /run/out; do sleep 0.1; done; kill -TERM $!; wait $!; code=$?; cat /run/out; exit $code`, 7, "caught"},
	{"stop in time", `docker run -d --name cc --runtime $R busybox sh -c 'trap "exit 8" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null; until docker logs cc | grep -q ready; do sleep 0.1; done; docker stop -t 30 cc; docker inspect -f 'code {{.State.ExitCode}}' cc; docker rm cc`, 0, "code 8"},
	{"restart", dockerCC + `docker exec cc sh -c 'echo kept >/tmp/f'; docker restart -t 0 cc && docker exec cc cat /tmp/f` + dockerEnd, 0, "kept"},
	{"events", dockerOOM + `docker wait cc; docker inspect -f 'oom {{.State.OOMKilled}}' cc; docker rm cc >/dev/null; happened | tr '\n' ';'`, 0, "137\noom true\nstart ;oom ;die 137;destroy"},
	{"killed, not out of memory", dockerCC + `docker kill cc; docker wait cc; docker inspect -f 'oom {{.State.OOMKilled}}' cc` + dockerEnd, 0, "137\noom false"},
	{"sick", `docker run -d --name cc --health-cmd false --health-interval 1s --health-retries 1 --runtime $R busybox sleep 100 >/dev/null; until docker inspect -f '{{.State.Health.Status}}' cc | grep unhealthy; do sleep 0.2; done` + dockerEnd, 0, "unhealthy"},
	{"many at once", `for i in $(seq 10); do docker run --rm --network none --runtime $R busybox echo "done $i" & done | sort | uniq -c | grep -c '  1 done'`, 0, "10\n"},
	{"many execs at once", dockerCC + `for i in $(seq 10); do docker exec cc echo "done $i" & done | sort | uniq -c | grep -c '  1 done'` + dockerEnd, 0, "10\n"},
	{"binary replaced", dockerSwap, 0, "inside\n137"},
}

// dockerSwap replaces the program of the runtime `swap` while a container of it lives.
const dockerSwap = `cp "$BINARY" /run/swap; docker run -d --name cc --runtime swap busybox sleep 100 >/dev/null
	rm /run/swap; cp "$BINARY" /run/swap
	docker exec cc echo inside; docker pause cc >/dev/null; docker unpause cc >/dev/null; docker stop -t 0 cc >/dev/null; docker inspect -f '{{.State.ExitCode}}' cc; docker rm -f cc >/dev/null`
