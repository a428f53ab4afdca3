package specconv

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestMountOptionsAreSortedAndUnique(t *testing.T) {
	words := MountOptions()
	if !slices.IsSorted(words) {
		t.Error("the table is not sorted, so words in it are not found")
	}
	if n := len(slices.Compact(words)); n != len(mountOptions) {
		t.Errorf("%d of %d words are given twice", len(mountOptions)-n, len(mountOptions))
	}
}

// The table of config.md "Linux mount options", as it stands there.
const configMd = `async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime
	noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime
	relatime remount rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate
	rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid
	symfollow sync tmpcopyup unbindable idmap ridmap`

func TestEveryMountOptionOfTheSpecIsKnown(t *testing.T) {
	for word := range strings.FieldsSeq(configMd) {
		if _, ok := lookupMountOption(word); !ok {
			t.Errorf("%s is not known", word)
		}
	}
}

// lower lowers the options of a mount of type tmpfs or, with bind among them, of a bind mount.
func lower(t *testing.T, options ...string) Mount {
	t.Helper()
	m, err := LowerMount(&specs.Mount{Destination: "/x", Type: "tmpfs", Source: "/src", Options: options})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMountOptions(t *testing.T) {
	const atime = unix.MOUNT_ATTR__ATIME
	for options, want := range map[string]Mount{
		"":                        {},
		"defaults":                {},
		"ro":                      {Attr: Attr{Set: unix.MOUNT_ATTR_RDONLY}, Super: unix.MS_RDONLY},
		"ro rw":                   {Attr: Attr{Clear: unix.MOUNT_ATTR_RDONLY}, SuperClear: unix.MS_RDONLY},
		"rw ro":                   {Attr: Attr{Set: unix.MOUNT_ATTR_RDONLY}, Super: unix.MS_RDONLY},
		"nosuid nodev suid":       {Attr: Attr{Set: unix.MOUNT_ATTR_NODEV, Clear: unix.MOUNT_ATTR_NOSUID}},
		"noatime":                 {Attr: Attr{Set: unix.MOUNT_ATTR_NOATIME, Clear: atime}},
		"noatime strictatime":     {Attr: Attr{Set: unix.MOUNT_ATTR_STRICTATIME, Clear: atime}},
		"strictatime atime":       {Attr: Attr{Clear: atime}},
		"noatime relatime":        {Attr: Attr{Clear: atime}},
		"nodiratime":              {Attr: Attr{Set: unix.MOUNT_ATTR_NODIRATIME}},
		"rbind rro noexec":        {Bind: true, Recursive: true, Attr: Attr{Set: unix.MOUNT_ATTR_NOEXEC}, RecursiveAttr: Attr{Set: unix.MOUNT_ATTR_RDONLY}},
		"bind rnoatime rrw":       {Bind: true, RecursiveAttr: Attr{Set: unix.MOUNT_ATTR_NOATIME, Clear: atime | unix.MOUNT_ATTR_RDONLY}},
		"sync dirsync mand async": {Super: unix.MS_DIRSYNC | unix.MS_MANDLOCK, SuperClear: unix.MS_SYNCHRONOUS},
		"iversion silent loud":    {Super: unix.MS_I_VERSION, SuperClear: unix.MS_SILENT},
		"shared rslave":           {Propagation: []uintptr{unix.MS_SHARED, unix.MS_SLAVE | unix.MS_REC}},
		"tmpcopyup":               {TmpCopyUp: true},
		"bind ridmap":             {Bind: true, IDMap: true, RecursiveIDMap: true},
		"remount lazytime":        {Remount: true, Super: unix.MS_LAZYTIME},
		"size=1k noswap mode=755": {Data: []string{"size=1k", "noswap", "mode=755"}},
		"size=1k,ro,mode=755":     {Attr: Attr{Set: unix.MOUNT_ATTR_RDONLY}, Super: unix.MS_RDONLY, Data: []string{"size=1k", "mode=755"}},
		`upperdir=/a\,b,x`:        {Data: []string{`upperdir=/a\,b`, "x"}},
		`context="u:o:t:c0,c1",x`: {Data: []string{"context=u:o:t:c0,c1", "x"}},
	} {
		want.Destination = "/x"
		if got := lower(t, strings.Fields(options)...); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", options, got, want)
		}
	}
}

func TestSuperWords(t *testing.T) {
	for options, want := range map[string]string{
		"":                         "",
		"ro sync dirsync lazytime": "ro sync dirsync lazytime",
		"rw async nomand":          "rw async nomand",
		"silent iversion":          "",
	} {
		m := lower(t, strings.Fields(options)...)
		if got := strings.Join(m.SuperWords(), " "); got != want {
			t.Errorf("%s: %q, want %q", options, got, want)
		}
	}
}

func TestRefusesMounts(t *testing.T) {
	ids := []specs.LinuxIDMapping{{Size: 1}}
	for want, m := range map[string]specs.Mount{
		`destination: missing`:                             {Type: "tmpfs"},
		`destination ("/a/.."): is the root itself`:        {Type: "tmpfs", Destination: "/a/.."},
		`destination ("/proc"): only a procfs`:             {Type: "tmpfs", Destination: "/proc"},
		`destination ("/sys/../proc/self"): lies inside`:   {Type: "proc", Destination: "/sys/../proc/self"},
		`destination ("proc/sys"): lies inside`:            {Destination: "proc/sys", Source: "/x", Options: []string{"bind"}},
		`source: a bind mount needs a source`:              {Destination: "/x", Options: []string{"rbind"}},
		`type: missing`:                                    {Destination: "/x"},
		`type ("bind"): a bind mount needs bind or rbind`:  {Destination: "/x", Type: "bind", Source: "/y"},
		`options[1] ("size=1k"): bind mounts cannot have`:  {Destination: "/x", Source: "/y", Options: []string{"bind", "size=1k"}},
		`options[0] ("readonly"): bind mounts cannot have`: {Destination: "/x", Source: "/y", Options: []string{"readonly", "bind"}},
		`known values: async, atime, bind,`:                {Destination: "/x", Source: "/y", Options: []string{"readonly", "bind"}},
		`options ("tmpcopyup"): is for mounts of type`:     {Destination: "/x", Type: "proc", Options: []string{"tmpcopyup"}},
		`options ("idmap"): only bind mounts`:              {Destination: "/x", Type: "tmpfs", Options: []string{"idmap"}},
		`gidMappings: must be given along`:                 {Destination: "/x", Source: "/y", Options: []string{"bind"}, UIDMappings: ids},
		`uidMappings: must be given along`:                 {Destination: "/x", Source: "/y", Options: []string{"bind"}, GIDMappings: ids},
		`options[0] ("a\x00b"): contains a NUL byte`:       {Destination: "/x", Type: "tmpfs", Options: []string{"a\x00b"}},
	} {
		_, err := LowerMount(&m)
		var problems Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %s", m, err, want)
		}
	}
}

func TestFilesOfLxcfsMayLieInProc(t *testing.T) {
	for _, file := range underProc {
		m := specs.Mount{Destination: file + "/", Source: "/x", Options: []string{"bind"}}
		if _, err := LowerMount(&m); err != nil || !UnderProc(file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// A mount's attributes are what the last word that touches each of them says,
// whatever came before.
func TestLastMountOptionWins(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		options := make([]string, r.IntN(12))
		for i := range options {
			options[i] = mountOptions[r.IntN(len(mountOptions))].word
		}
		var got Mount
		for _, word := range options {
			o, _ := lookupMountOption(word)
			o.apply(&got)
		}
		for _, bit := range []uint64{
			unix.MOUNT_ATTR_RDONLY, unix.MOUNT_ATTR_NOSUID, unix.MOUNT_ATTR_NODEV, unix.MOUNT_ATTR_NOEXEC,
			unix.MOUNT_ATTR__ATIME, unix.MOUNT_ATTR_NODIRATIME, unix.MOUNT_ATTR_NOSYMFOLLOW,
		} {
			var want, wantRec Attr
			for _, word := range options {
				o, _ := lookupMountOption(word)
				if (o.set|o.clear)&bit == 0 {
					continue
				}
				if o.recursive {
					wantRec = Attr{o.set & bit, o.clear & bit}
				} else {
					want = Attr{o.set & bit, o.clear & bit}
				}
			}
			for _, pair := range [][2]Attr{{got.Attr, want}, {got.RecursiveAttr, wantRec}} {
				if have := (Attr{pair[0].Set & bit, pair[0].Clear & bit}); have != pair[1] {
					t.Fatalf("%v: %#x is %+v, want %+v", options, bit, have, pair[1])
				}
			}
		}
	}
}

func FuzzLowerMount(f *testing.F) {
	f.Add("/x", "tmpfs", "tmpfs", "ro\nsize=1k,mode=755\nnoatime")
	f.Add("/proc/../x", "", "/src", "rbind\nrro\nidmap\nrslave")
	f.Add("a//b", "overlay", "", `lowerdir=/a\,b:/c,"x,y`)
	f.Fuzz(func(t *testing.T, destination, fstype, source, options string) {
		list := strings.Split(options, "\n")
		in := specs.Mount{Destination: destination, Type: fstype, Source: source, Options: list}
		m, err := LowerMount(&in)
		if err != nil {
			return
		}
		if !strings.HasPrefix(m.Destination, "/") || m.Destination == "/" || strings.Contains(m.Destination+"/", "/../") {
			t.Errorf("destination %q", m.Destination)
		}
		for _, a := range []Attr{m.Attr, m.RecursiveAttr} {
			if both := a.Set & a.Clear &^ unix.MOUNT_ATTR__ATIME; both != 0 {
				t.Errorf("%v: %#x is set and cleared", list, both)
			}
			// mount_setattr(2) refuses a change of the access time that does not clear all of it.
			if clr := a.Clear & unix.MOUNT_ATTR__ATIME; clr != 0 && clr != unix.MOUNT_ATTR__ATIME {
				t.Errorf("%v: clears %#x of the access time", list, clr)
			}
			if a.Set&unix.MOUNT_ATTR__ATIME != 0 && a.Clear&unix.MOUNT_ATTR__ATIME == 0 {
				t.Errorf("%v: sets the access time without clearing it", list)
			}
		}
		if both := m.Super & m.SuperClear; both != 0 {
			t.Errorf("%v: superblock flag %#x is set and cleared", list, both)
		}
		if m.Bind && len(m.Data) > 0 {
			t.Errorf("%v: a bind mount with data %q", list, m.Data)
		}
		for _, d := range m.Data {
			if _, known := lookupMountOption(d); known || d == "" || strings.ContainsRune(d, 0) {
				t.Errorf("%v: %q is left for the file system", list, d)
			}
		}
		again := in
		again.Options = append(slices.Clone(list), list...)
		twice, err := LowerMount(&again)
		twice.Propagation, twice.Data = m.Propagation, m.Data
		if err != nil || !reflect.DeepEqual(m, twice) {
			t.Errorf("%v: given twice it is %+v, error %v, not %+v", list, twice, err, m)
		}
	})
}
