package rootfs

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestExchangedDestinationStaysInside lets somebody exchange a directory of a
// shared volume for a link to the host, back and forth, while mounts are made
// on it (CVE-2021-30465). If one went astray it would be visible through the
// last mount, which shows that place of the host.
func TestExchangedDestinationStaysInside(t *testing.T) {
	b := newBox(t)
	c := b.canary(t)
	volume := b.source(t, "volume")
	for _, dir := range []string{volume + "/dir/below", c.dir + "/below"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(c.dir, volume+"/link"); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, volume+"/dir", unix.AT_FDCWD, volume+"/link", unix.RENAME_EXCHANGE)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()

	b.mount(specs.Mount{Destination: "/v", Source: volume, Options: []string{"bind"}})
	for i := range 20 {
		b.mount(specs.Mount{Destination: fmt.Sprintf("/v/dir/below/%d", i), Type: "tmpfs"})
	}
	b.mount(specs.Mount{Destination: "/peek", Source: c.dir, Options: []string{"rbind"}})
	made, tries := 0, 30
	if os.Getenv("HULL_TORTURE") != "" {
		tries = 500
	}
	for range tries {
		out, err := b.try(t, showMounts)
		if err != nil {
			continue // for lack of a directory at that moment, perhaps
		}
		made++
		if strings.Contains(out, " /peek/") {
			t.Fatalf("a mount went to the host's directory:\n%s", out)
		}
	}
	if entries, err := os.ReadDir(c.dir + "/below"); err != nil || len(entries) > 0 {
		t.Errorf("the host's directory holds %v, error %v", entries, err)
	}
	t.Logf("%d of %d containers were made", made, tries)
}
