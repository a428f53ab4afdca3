package libcontainer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"hull/internal/criu"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/specconv"
)

// emitMountPoints makes the mount points that are missing in the root: those
// below other mounts come with their contents.
func (b *build) emitMountPoints(root plan.Reg) error {
	for i := range b.spec.Mounts {
		m, err := specconv.LowerMount(&b.spec.Mounts[i])
		if err != nil {
			return err
		}
		if m.Remount || m.Destination == "/" || b.below(m.Destination, i) {
			continue
		}
		b.At(fmt.Sprintf("mounts[%d].destination", i), m.Destination)
		if st, err := os.Stat(bindSource(&b.spec.Mounts[i], b.c.rec.Bundle)); m.Bind && err == nil && !st.IsDir() {
			b.MkfileInRoot(root, m.Destination, 0o644)
		} else {
			b.MkdirInRoot(root, m.Destination, 0o755)
		}
	}
	return nil
}

// below says whether path is below one of the first n mounts.
func (b *build) below(path string, n int) bool {
	for _, m := range b.spec.Mounts[:n] {
		if strings.HasPrefix(path, filepath.Clean(m.Destination)+"/") {
			return true
		}
	}
	return false
}

// findMountPoints fills in the external mounts: criu calls them by their true
// places, which links of the root may have led to.
func (w *criuWork) findMountPoints(b *build) error {
	root, err := os.OpenFile(b.rootfs, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer root.Close()
	list, err := externals(b.spec, b.c.rec.Bundle, b.hierarchies)
	if err != nil {
		return err
	}
	for _, e := range list {
		key, err := placeIn(root, b.rootfs, e.destination)
		if err != nil {
			return fmt.Errorf("%s (%s): %w", e.field, e.destination, err)
		}
		if err := checkKey(e.field, key); err != nil {
			return err
		}
		w.o.Mounts = append(w.o.Mounts, criu.Pair{Key: key, Value: e.source})
	}
	return nil
}

// placeIn is where path leads in the root, seen from inside; what is not there yet is where it says.
func placeIn(root *os.File, dir, path string) (string, error) {
	f, err := sys.OpenInRoot(root, path)
	if err != nil {
		return path, nil // below a mount
	}
	defer f.Close()
	found, err := sys.ReadlinkProc(fmt.Sprintf("self/fd/%d", f.Fd()))
	if err != nil {
		return "", err
	}
	inside, ok := strings.CutPrefix(found, strings.TrimSuffix(dir, "/")+"/")
	if !ok {
		return "", fmt.Errorf("is not below the root: %s", found)
	}
	return "/" + inside, nil
}
