package engines

import "testing"

// asEngine runs the commands as an ordinary user with its own storage.
const asEngine = `
mkdir -p /run/user/4000 /run/home/engine/.config/containers
cat >/run/home/engine/.config/containers/containers.conf <<'END'
[containers]
default_ulimits=["nofile=1024:1024","nproc=1024:1024"]
log_driver="k8s-file"
[engine]
cgroup_manager="cgroupfs"
events_logger="file"
END
chown -R engine: /run/user/4000 /run/home/engine; chmod 755 /run/home
cp /run/image.tar /run/home/engine/busybox.tar; chmod 644 /run/home/engine/busybox.tar
as() {
	cd /run/home/engine
	env -u CONTAINERS_CONF HOME=/run/home/engine XDG_RUNTIME_DIR=/run/user/4000 setpriv --reuid 4000 --regid 4000 --clear-groups sh -ec "$1"
}
as 'podman --storage-driver vfs image exists busybox || podman --storage-driver vfs import -q busybox.tar busybox >/dev/null'
as '`

var podmanRootless = []check{
	{"run", asEngine + `podman --runtime $R --storage-driver vfs run --rm --network none busybox sh -c "id -u; cat /proc/self/uid_map"'`, 0, "0\n         0       4000          1\n         1     300000      65536"},
	{"as a user", asEngine + `podman --runtime $R --storage-driver vfs run --rm --network none --user user busybox id'`, 0, "uid=1000(user)"},
	{"keep-id", asEngine + `podman --runtime $R --storage-driver vfs run --rm --network none --userns keep-id busybox id -u'`, 0, "4000"},
	{"exit code", asEngine + `podman --runtime $R --storage-driver vfs run --rm --network none busybox sh -c "exit 3"'`, 3, ""},
	{"exec", asEngine + `podman --runtime $R --storage-driver vfs run -d --name c --network none busybox sleep 100; podman --storage-driver vfs exec c echo inside; podman --storage-driver vfs rm -ft0 c'`, 0, "inside"},
	{"network", asEngine + `podman --runtime $R --storage-driver vfs run --rm --network slirp4netns busybox ls /sys/class/net'`, 0, "tap0"},
	{"build", asEngine + `printf "FROM busybox\nRUN echo built >/out\n" | podman --runtime $R --storage-driver vfs build -q --network none -t built -f - . && podman --runtime $R --storage-driver vfs run --rm --network none built cat /out'`, 0, "built"},
}

func TestRootlessPodman(t *testing.T) {
	need(t, "v1", "podman", "newuidmap", "slirp4netns")
	hull, control := runtimes(t)
	e := &engine{}
	e.must(t, "cp "+busybox(t)+" /run/image.tar")
	e.all(t, hull, control, podmanRootless)
}
