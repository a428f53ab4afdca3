// Package doors holds hull to its few ways into a file system. What is in a
// container's view is made and opened by the plan's in-root operations alone:
// whoever opens a path of a container by its name follows links that the
// container has made (CVE-2024-45310, CVE-2025-24965, CVE-2026-41579).
package doors

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// calls take a path that the kernel resolves from the caller's root, following links.
var calls = map[string][]string{
	"os": {
		"Chdir", "Chmod", "Chown", "Chtimes", "Create", "CreateTemp", "DirFS", "Lchown", "Link", "Lstat", "Mkdir", "MkdirAll", "MkdirTemp", "Open",
		"OpenFile", "OpenRoot", "ReadDir", "ReadFile", "Readlink", "Remove", "RemoveAll", "Rename", "Stat", "Symlink", "Truncate", "WriteFile",
	},
	"unix": {
		"Access", "Chdir", "Chmod", "Chown", "Chroot", "Creat", "Getxattr", "Lchown", "Lgetxattr", "Link", "Linkat", "Lsetxattr", "Lstat", "Mkdir",
		"Mkfifo", "Mknod", "Mount", "MountSetattr", "Open", "OpenTree", "Openat", "Openat2", "PivotRoot", "Readlink", "Rename", "Renameat", "Renameat2",
		"Rmdir", "Setxattr", "Stat", "Statfs", "Statx", "Symlink", "Truncate", "Umount", "Unlink", "Unlinkat", "Unmount",
		"SYS_CHDIR", "SYS_CHROOT", "SYS_MOUNT", "SYS_UMOUNT2", "SYS_PIVOT_ROOT", "Fchmodat", "Fchownat", "Fstatat", "Mkdirat", "Mknodat", "Readlinkat", "Symlinkat",
	},
	"filepath": {"EvalSymlinks", "Glob", "Walk", "WalkDir"},
	"plan":     {"Cwd"}, // a plan's operation on a path that is not below a descriptor
	"":         {"Mount", "LookPath"},
}

// doors are the places that may, and why no container can lead them astray. A
// directory, or a file, stands for all that is in it.
var doors = map[string]string{
	"cgroups":                                    "cgroupfs of the host, where containers make no links",
	"internal/cli":                               "files that the caller names",
	"internal/fail":                              "tests",
	"internal/netlink":                           "namespaces of the host's /proc",
	"internal/plan":                              "defines the operations",
	"internal/rdt":                               "resctrl, of the host",
	"internal/seccomp":                           "the cache in the state root, which is ours",
	"internal/sys":                               "the verified procfs; the rest names what its callers do",
	"internal/trace":                             "a file that the caller names",
	"libcontainer/cgroup.go:execCgroup":          "cgroupfs of the host",
	"libcontainer/claim.go":                      "the container's directory in the state root, which is ours and 0700",
	"libcontainer/create.go:rootfsOf":            "root.path, which is the caller's: opened again by descriptor, and all below it by the in-root operations",
	"libcontainer/delete.go:forget":              "the container's directory in the state root",
	"libcontainer/maps.go:hostProgram":           "a program of the host, in directories that only root writes",
	"libcontainer/namespaces.go:openNamespace":   "linux.namespaces[].path, which is the caller's",
	"libcontainer/notify.go:makeNotify":          "the container's directory in the state root",
	"libcontainer/notify.go:listenNotify":        "the same; its mount in the container is read-only",
	"libcontainer/root.go":                       "the state root",
	"libcontainer/start.go:removeSocket":         "the container's directory in the state root",
	"libcontainer/state.go":                      "the same, and cgroupfs",
	"libcontainer/step_label.go":                 "sysfs of the host, before the container is there",
	"rootfs/cgroup.go":                           "cgroupfs of the host",
	"rootfs/check.go":                            "sources of mounts, which are the caller's",
	"rootfs/console.go:ExecConsole":              "inside, where the root is the container's",
	"rootfs/copyattr.go":                         "tmpcopyup: names below descriptors, no link is followed",
	"rootfs/copyup.go":                           "the same",
	"rootfs/dev.go:defaultDevices":               "/proc/kcore of the host, whether it is there",
	"rootfs/idmap.go:mapIDs":                     "by descriptor, with AT_EMPTY_PATH",
	"rootfs/mount.go:bind":                       "mounts[].source, which is the caller's",
	"rootfs/node.go":                             "devices of the host, verified",
	"rootfs/source.go:openTree":                  "mounts[].source, for a stage in a user namespace",
	"rootfs/sysfs.go:bindSys":                    "/sys of the host, verified",
	"libcontainer/hooks.go:hookPlan":             "inside, where the root is the container's, as the hook that is to run there",
	"libcontainer/step_process.go":               "inside, where the root is the container's",
	"rootfs/attr.go":                             "through a descriptor's number, below the host's procfs",
	"rootfs/newfs.go:mount2":                     "the same",
	"rootfs/nopivot.go":                          "without pivot_root: mounts of the host by the host's names, before the root is changed",
	"rootfs/pivot.go":                            "the working directory, which is the new root",
	"rootfs/root.go":                             "root.path, which is the caller's, and the host's / before anything of the container is there",
	"internal/sbom":                              "a program of its own: what it is asked to describe",
	"libcontainer/checkpoint.go":                 "/dev/null of the host, namespaces of linux.namespaces[].path; statx(2) is by descriptor",
	"libcontainer/criu.go":                       "directories that the caller names; criu is found on the host",
	"libcontainer/restore.go":                    "root.path, namespaces and images, which are the caller's",
	"libcontainer/restore_mounts.go":             "sources of mounts, and root.path, which are the caller's",
	"libcontainer/restore_verify.go:knownMounts": "root.path, which is the caller's",
	"libcontainer/step_streams.go:stepNull":      "inside: /dev/null, which is made or verified with the devices, and verified again",
}

// walk calls found for each use of a call, with the function that it is in.
func walk(t *testing.T, found func(place, call string)) {
	t.Helper()
	for _, dir := range []string{"cgroups", "internal", "libcontainer", "nsenter", "rootfs", "specconv", "main.go", "stdout.go"} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			name, err := filepath.Rel("../..", path)
			for _, decl := range file.Decls {
				place := name
				if f, ok := decl.(*ast.FuncDecl); ok {
					place += ":" + f.Name.Name
				}
				ast.Inspect(decl, func(n ast.Node) bool {
					if name := named(n); name != "" {
						found(place, name)
					}
					return true
				})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// named is os.Open for the use of that function, and .Mount for the call of any method of the name.
func named(n ast.Node) string {
	method := false
	if call, ok := n.(*ast.CallExpr); ok {
		n, method = call.Fun, true
	}
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := s.X.(*ast.Ident); ok && calls[pkg.Name] != nil {
		if method {
			return "" // the selector comes by itself
		}
		return pkg.Name + "." + s.Sel.Name
	}
	if method {
		return "." + s.Sel.Name
	}
	return ""
}

// door is the entry that allows a place, or nothing.
func door(place string) string {
	for name := range doors {
		if place == name || strings.HasPrefix(place, name+"/") || strings.HasPrefix(place, name+":") {
			return name
		}
	}
	return ""
}

func TestPathsAreOpenedAtTheDoorsAlone(t *testing.T) {
	used := map[string]bool{}
	walk(t, func(place, call string) {
		pkg, name, _ := strings.Cut(call, ".")
		if !slices.Contains(calls[pkg], name) {
			return
		}
		name = door(place)
		used[name] = true
		if name == "" {
			t.Errorf("%s uses %s: paths of a container are for the plan's in-root operations; if this one is none, say so in the list of doors", place, call)
		}
	})
	for name := range maps.Keys(doors) {
		if !used[name] {
			t.Errorf("%s opens nothing: take it from the list", name)
		}
	}
}
