package tests

import (
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/tests/proc"
)

// dice make the choices of a fuzzed bundle: bytes of the input, and when those
// are used up numbers that the input is the seed of.
type dice struct {
	left    []byte
	more    *rand.Rand
	spoiled []string // places that are not what they should be
}

func newDice(input []byte) *dice {
	h := fnv.New64a()
	_, _ = h.Write(input)
	return &dice{left: input, more: rand.New(rand.NewPCG(h.Sum64(), 0))}
}

// roll is a number below n, which is at most 256.
func (d *dice) roll(n int) int {
	if len(d.left) == 0 {
		return d.more.IntN(n)
	}
	b := d.left[0]
	d.left = d.left[1:]
	return int(b) % n
}

func pick[T any](d *dice, list []T) T { return list[d.roll(len(list))] }

// places are what the runtime meets in a root file system.
var places = strings.Fields(`dev dev/null dev/zero dev/pts dev/shm dev/ptmx dev/console dev/fd dev/x proc proc/self proc/sys sys sys/fs
	sys/fs/cgroup etc etc/passwd etc/group mnt mnt/a mnt/a/b tmp root home home/user var x x/y`)

// path is one of them, spoiled as a rule, as a configuration may spell it.
func (d *dice) path() string {
	place := pick(d, places)
	if len(d.spoiled) > 0 && d.roll(4) != 0 {
		place = pick(d, d.spoiled)
	}
	return pick(d, []string{"/" + place, "/" + place, "/" + place + "/new/er", "/" + place + "/made", "/mnt/../" + place, "//./" + place + "/"})
}

// target is where a hostile link points to.
func (d *dice) target(canary string) string {
	if d.roll(3) == 0 {
		return canary
	}
	return pick(d, []string{
		canary + "/file", canary + "/dir", canary + "/made", canary + "/link", strings.Repeat("../", 20) + canary[1:],
		"/proc/self/root" + canary, "/proc/1/root" + canary, "/proc/self/exe", "/proc/self/cwd", "/proc/self/fd/3", "/proc/thread-self/attr",
		"/", "..", ".", "/dev", "/proc", "/proc/sys", "/sys", "/mnt", "/etc", "a", "../x", "/x", "/nonexistent/deep",
	})
}

// spoil puts up to n things where they are not expected into the tree dir.
func (d *dice) spoil(b *box, dir, canary string, n int) {
	root, err := os.OpenRoot(dir)
	b.check(err)
	defer root.Close()
	for range d.roll(n + 1) {
		place := pick(d, places)
		parent, err := root.OpenFile(filepath.Dir(place), unix.O_DIRECTORY, 0) // whose links do not lead us out of dir either
		if err != nil {
			continue
		}
		fd, name := int(parent.Fd()), filepath.Base(place)
		if kind := d.roll(12); root.RemoveAll(place) == nil {
			d.spoiled = append(d.spoiled, place)
			switch kind {
			case 0, 1, 2, 3, 4, 5:
				_ = unix.Symlinkat(d.target(canary), fd, name)
			case 6:
				_ = unix.Mkdirat(fd, name, pick(d, []uint32{0o755, 0}))
			case 7:
				_ = unix.Mknodat(fd, name, unix.S_IFREG|0o644, 0)
			case 8:
				_ = unix.Mknodat(fd, name, unix.S_IFIFO|0o666, 0)
			case 9:
				_ = unix.Mknodat(fd, name, unix.S_IFSOCK|0o666, 0)
			case 10:
				_ = unix.Mknodat(fd, name, unix.S_IFCHR|0o666, int(unix.Mkdev(1, uint32(pick(d, []int{3, 5, 7})))))
			}
		}
		parent.Close()
	}
}

// mount is a mount of the configuration; volume is a directory to bind.
func (d *dice) mount(volume string) edit {
	words := func(list ...string) []string {
		return slices.DeleteFunc(list, func(string) bool { return d.roll(3) != 0 })
	}
	switch kind := d.roll(10); kind {
	case 0, 1, 2, 3:
		source := pick(d, []string{volume, volume, volume + "/file"})
		return mount(d.path(), "bind", source, append(words("ro", "rro", "nosuid", "rshared", "slave", "noatime"), pick(d, []string{"bind", "rbind"}))...)
	case 4, 5, 6:
		return mount(d.path(), "tmpfs", "tmpfs", words("ro", "tmpcopyup", "mode=700", "shared", "size=1m")...)
	case 7:
		return mount(d.path(), "", "", append(words("ro", "nosuid", "noexec"), "remount", "bind")...)
	default:
		kind := pick(d, []string{"devpts", "mqueue", "sysfs", "proc", "cgroup"})
		return mount(d.path(), kind, kind, words("ro", "nosuid", "newinstance")...)
	}
}

// change is some other change of the configuration.
func (d *dice) change() edit {
	path := d.path()
	switch d.roll(9) {
	case 0:
		return func(s *specs.Spec) { s.Process.Cwd = path }
	case 1:
		return func(s *specs.Spec) { s.Linux.MaskedPaths = append(s.Linux.MaskedPaths, path) }
	case 2:
		return func(s *specs.Spec) { s.Linux.ReadonlyPaths = append(s.Linux.ReadonlyPaths, path) }
	case 3:
		return func(s *specs.Spec) {
			s.Linux.Devices = append(s.Linux.Devices, specs.LinuxDevice{Path: path, Type: "c", Major: 1, Minor: 3})
		}
	case 4:
		propagation := pick(d, []string{"shared", "slave", "private", "unbindable"})
		return func(s *specs.Spec) { s.Linux.RootfsPropagation = propagation }
	case 5:
		return func(s *specs.Spec) { s.Root.Readonly = true }
	case 6:
		return userNamespace(100000)
	case 7:
		return func(s *specs.Spec) { s.Process.User.UID = 1000 }
	}
	return func(s *specs.Spec) { // without some of the usual mounts
		s.Mounts = slices.DeleteFunc(s.Mounts, func(specs.Mount) bool { return d.roll(2) == 0 })
	}
}

// watched runs hull in a mount namespace of its own, whose mounts are shared like those of a host with
// systemd, and fails with 99 when hull has changed them. What goes with its mount point is somebody
// else's: who removes a directory takes the mounts on it from every namespace. unlink(2)
var watched = []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", `
	mount --make-rshared / && before=$(cat /proc/self/mountinfo) || exit 98
	"$@"
	code=$?
	after=$(cat /proc/self/mountinfo)
	changed=$(printf '%s\n' "$after" | grep -vxF "$before" | sed 's/^/there is now: /'
		printf '%s\n' "$before" | grep -vxF "$after" | while read -r line; do
			set -- $line
			[ ! -e "$5" ] || echo "there was: $line"
		done)
	[ -z "$changed" ] || { echo "$changed" >&2; exit 99; }
	exit $code`, "sh"}

// try runs a command that may be refused, but by an error.
func (b *box) try(args ...string) bool {
	b.t.Helper()
	r := b.hull(args...)
	if r.code != 0 && (r.code != 1 && r.code != 255 || strings.Contains(r.stderr, "goroutine ")) {
		b.t.Fatalf("%s", r)
	}
	return r.code == 0
}

// removeAbandoned removes what processes like this one have left that were killed: Go's
// fuzzing does so with its workers when an input takes longer than they have.
func removeAbandoned(t testing.TB) {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), workName+"*-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), workName), "-")
		pid, err := strconv.Atoi(number)
		if err != nil || !proc.Ended(pid) {
			continue
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			b := &box{t: t, id: boxID(pid, e.Name()), dir: filepath.Join(dir, e.Name())}
			for len(b.processes()) > 0 {
				b.sweep()
			}
			b.sweep()
		}
		if err := remove(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever is in a bundle, and whatever a container makes of its files, nothing of
// the host is changed but what the container is given: see cleanup for what is looked at.
func FuzzBundle(f *testing.F) {
	f.Cleanup(func() { removeAbandoned(f) })
	for n := range 12 {
		f.Add([]byte{byte(n)})
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		needRoot(t, "it makes a mount namespace that stands for the host's")
		d := newDice(input)
		b := newBox(t, args("/bin/busybox", "sleep", "1000"))
		b.wrapper = watched
		canary := b.canary("canary")
		volume := filepath.Dir(b.file("volume/file", "a volume's\n"))
		d.spoil(b, b.rootfs, canary, 6)
		d.spoil(b, volume, canary, 3)
		for range d.roll(4) {
			b.edit(d.mount(volume))
		}
		for range d.roll(4) {
			b.edit(d.change())
		}
		if b.try("run", "--detach", "--bundle", b.bundle, b.id) {
			for range d.roll(3) {
				b.try("exec", b.id, "/bin/busybox", "ln", "-sfn", d.target(canary), "/"+pick(d, places))
				b.try("exec", "--cwd", d.path(), b.id, "/bin/busybox", "true")
			}
			b.must("delete", "--force", b.id)
		}
		b.wantNothingLeft()
	})
}
