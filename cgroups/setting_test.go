package cgroups

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// fake is a directory of plain files in the place of a cgroup.
func fake(t *testing.T, files map[string]string) *dir {
	t.Helper()
	path := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	d := &dir{fd: fd, path: path}
	t.Cleanup(d.close)
	return d
}

type files = map[string]string

func blockIO() *specs.LinuxBlockIO {
	sda := specs.LinuxBlockIODevice{Major: 8}
	rate := func(n uint64) []specs.LinuxThrottleDevice {
		return []specs.LinuxThrottleDevice{{LinuxBlockIODevice: sda, Rate: n}}
	}
	return &specs.LinuxBlockIO{
		Weight:                new(uint16(10)),
		WeightDevice:          []specs.LinuxWeightDevice{{LinuxBlockIODevice: sda, Weight: new(uint16(1000))}},
		ThrottleReadBpsDevice: rate(1), ThrottleWriteBpsDevice: rate(2), ThrottleReadIOPSDevice: rate(3), ThrottleWriteIOPSDevice: rate(0),
	}
}

func TestEveryFieldBecomesItsFile(t *testing.T) {
	for _, tt := range lowered {
		t.Run(tt.name, func(t *testing.T) {
			d := fake(t, tt.files)
			var v1, v2 []string
			for _, c := range controllers {
				v1 = append(v1, words(c.v1(&tt.resources, d))...)
				v2 = append(v2, words(c.v2(&tt.resources, d))...)
			}
			if got := strings.Join(v1, " "); got != tt.v1 {
				t.Errorf("v1: %s\nwant %s", got, tt.v1)
			}
			if got := strings.Join(v2, " "); got != tt.v2 {
				t.Errorf("v2: %s\nwant %s", got, tt.v2)
			}
		})
	}
}

func words(list []setting, err error) []string {
	if err != nil {
		return []string{err.Error()}
	}
	var words []string
	for _, s := range list {
		words = append(words, s.file+"="+s.value)
	}
	return words
}

func TestWeightsMeetSharesAtBothEndsAndTheDefault(t *testing.T) {
	for shares, want := range map[uint64]uint64{1: 1, 2: 1, 3: 2, 1024: 100, 2048: 174, 262143: 10000, 262144: 10000, 1 << 40: 10000} {
		if got := weight(shares); got != want {
			t.Errorf("%d shares became weight %d, want %d", shares, got, want)
		}
	}
	for shares, last := uint64(2), uint64(1); shares <= 262144; shares++ {
		w := weight(shares)
		if w < last {
			t.Fatalf("%d shares became weight %d, less than fewer shares", shares, w)
		}
		last = w
	}
}

func TestUnifiedTakesFilesLineByLine(t *testing.T) {
	list, err := unified(&specs.LinuxResources{Unified: map[string]string{"memory.high": "1", "io.max": "8:0 rbps=1\n8:16 rbps=2\n"}})
	if want := []string{"io.max=8:0 rbps=1", "io.max=8:16 rbps=2", "memory.high=1"}; !slices.Equal(words(list, err), want) {
		t.Errorf("got %v, want %v", words(list, err), want)
	}
	for _, file := range []string{"", "memory", "../memory.max", "a/memory.max", ".hidden", "x\x00.y"} {
		if _, err := unified(&specs.LinuxResources{Unified: map[string]string{file: "1"}}); err == nil || !strings.Contains(err.Error(), "must be the name of a cgroup v2 file") {
			t.Errorf("%q: got %v", file, err)
		}
	}
}

func TestMissingFileNamesTheControllerThatIsNotEnabled(t *testing.T) {
	d := fake(t, files{"cgroup.controllers": "cpu pids\n"})
	for file, want := range map[string]string{
		"memory.max": "linux.x (memory.max = 1): controller memory is not enabled in " + filepath.Dir(d.path) + "/cgroup.subtree_control: no such file or directory",
		"cpu.idle":   "linux.x (cpu.idle = 1): this kernel has no such file in " + d.path + ": no such file or directory",
	} {
		if err := apply(d, []setting{{field: "linux.x", file: file, value: "1"}}); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

func TestNoCgroupRefusesLimits(t *testing.T) {
	c := Disabled()
	if err := c.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{CheckBeforeUpdate: new(true)}}); err != nil {
		t.Errorf("nothing is asked for: %v", err)
	}
	for want, r := range map[string]*specs.LinuxResources{
		"linux.resources.pids.limit: cannot be limited: the container has no cgroup of its own":          {Pids: &specs.LinuxPids{Limit: new(int64(1))}},
		"linux.resources.unified.memory.high: cannot be limited: the container has no cgroup of its own": {Unified: map[string]string{"memory.high": "1"}},
	} {
		if err := c.Set(r); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}
