// Package security replays published holes of container runtimes against hull,
// one test each, named after the CVE. docs/security.md lists them.
//
// An attack that fails proves little by itself: each is also tried on a target
// that is known to be vulnerable, where it has to succeed. That is a runtime of
// the distribution (RUNC and CRUN name others than those in PATH), or hull
// itself, built with the tag failpoints and with the guard in question off.
package security

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"hull/tests/image"
)

var (
	work     string // everything that the tests make is below this directory
	hullPath string
	base     string // a root file system with busybox and the probe
)

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	if os.Geteuid() != 0 {
		fmt.Println("skipped: attacks need root, to make containers, cgroups and mounts")
		return 0
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(work)
	return m.Run()
}

// prepare finds hull and builds what all tests share.
func prepare() (err error) {
	if hullPath = os.Getenv("HULL"); hullPath == "" {
		hullPath = "../../hull"
	}
	if hullPath, err = filepath.Abs(hullPath); err != nil {
		return err
	}
	if work, err = os.MkdirTemp("", "hull-security"); err != nil {
		return err
	}
	if err := os.Chmod(work, 0o755); err != nil { // ordinary users' containers live here too
		return err
	}
	base = filepath.Join(work, "base")
	probe := filepath.Join(work, "probe")
	if err := image.Probe("../probe", probe); err != nil {
		return err
	}
	return image.Make(base, probe)
}
