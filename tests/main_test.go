// Package tests looks at hull from outside, through its binary, and from
// inside the containers it makes, through the probe (see probe/main.c).
//
// HULL names another binary to test, such as /usr/sbin/runc.
package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"hull/tests/image"
)

// Where the shared things of one run of the tests are.
var (
	work     string // everything that the tests make is below this directory
	hullPath string
	probe    string // the probe's executable
	baseRoot string // a root file system with busybox and the probe
	baseErr  error  // why there is no base
)

// workName is how work begins; the number of the process that made it follows.
const workName = "hull-"

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	var err error
	if work, err = os.MkdirTemp("", fmt.Sprintf("%s%d-", workName, os.Getpid())); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil { // ordinary users' containers live here too
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	baseErr = prepare()
	if sample := os.Getenv(sampleName); sample != "" {
		if _, _, err := sampleOf(sample); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Printf("of the long enumerations this is a sample, %s\n", sample)
	}
	return m.Run()
}

// prepare finds hull and builds what all tests share.
func prepare() error {
	hullPath = os.Getenv("HULL")
	if hullPath == "" {
		hullPath = "../hull"
	}
	var err error
	if hullPath, err = filepath.Abs(hullPath); err != nil {
		return err
	}
	if _, err := os.Stat(hullPath); err != nil {
		return fmt.Errorf("%w: run make first", err)
	}
	probe = filepath.Join(work, "probe")
	if err := image.Probe("probe", probe); err != nil {
		return err
	}
	baseRoot = filepath.Join(work, "base")
	return image.Make(baseRoot, probe)
}
