package criu

// Options are what a request says: criu(8) describes each under the same
// name. Descriptors are the caller's but for Inherit.
type Options struct {
	ImagesDir int // descriptor of the images' directory
	WorkDir   int // descriptor of the log's directory
	LogFile   string

	Pid       int    // dump: of the process to save with its children
	ParentImg string // dump: an earlier pre-dump, relative to ImagesDir
	TrackMem  bool   // dump: note which pages change
	Root      string // the root of the processes, a mount point

	LeaveRunning    bool
	ExtUnixSk       bool
	TCPEstablished  bool
	TCPSkipInFlight bool
	TCPClose        bool
	ShellJob        bool
	FileLocks       bool
	AutoDedup       bool
	LinkRemap       bool
	LazyPages       bool
	EvasiveDevices  bool
	OrphanPtsMaster bool
	RstSibling      bool // restore: the process becomes the caller's child

	Mounts        []Pair // external mounts: key, and at restore the source
	External      []string
	JoinNS        []Pair // restore: kind and file of a namespace
	Inherit       []Inherit
	CgroupRoots   []Pair // restore: controller and path
	FreezeCgroup  string
	CgroupMode    int // 0 for criu's default
	EmptyNS       uintptr
	PageServer    string // dump: address of the page server
	PagePort      int
	StatusFD      int // dump: with LazyPages, told when pages can be had; -1 for none
	ConfigFile    string
	LSMProfile    string
	LSMMountLabel string
}

// Pair is a key and what it stands for.
type Pair struct{ Key, Value string }

// Inherit says that descriptor FD of criu's own is what the images call Key.
type Inherit struct {
	Key string
	FD  int
}

// The modes of --manage-cgroups, in the order of criu's numbers.
var modes = map[string]int{"ignore": 0, "none": 1, "props": 2, "soft": 3, "full": 4, "strict": 5}

// CgroupMode is the number of a mode of --manage-cgroups. criu(8).
func CgroupMode(name string) (int, bool) {
	n, ok := modes[name]
	return n, ok
}

const logEverything = 4

// encode is the message criu_opts.
func (o *Options) encode() message {
	var m message
	m.int32(1, o.ImagesDir)
	if o.Pid != 0 {
		m.int32(2, o.Pid)
	}
	m.flag(3, o.LeaveRunning)
	m.flag(4, o.ExtUnixSk)
	m.flag(5, o.TCPEstablished)
	m.flag(6, o.EvasiveDevices)
	m.flag(7, o.ShellJob)
	m.flag(8, o.FileLocks)
	m.int32(9, logEverything)
	m.string(10, o.LogFile)
	o.pageServer(&m)
	m.flag(12, true) // notify_scripts: tell of each step
	m.string(13, o.Root)
	m.string(14, o.ParentImg)
	m.flag(15, o.TrackMem)
	m.flag(16, o.AutoDedup)
	m.int32(17, o.WorkDir)
	m.flag(18, o.LinkRemap)
	for _, p := range o.Mounts {
		m.pair(23, p.Key, p.Value)
	}
	m.flag(24, true) // manage_cgroups
	for _, p := range o.CgroupRoots {
		var root message
		root.string(1, p.Key) // none on cgroup v2
		root.string(2, p.Value)
		m.bytes(25, root)
	}
	m.flag(26, o.RstSibling)
	for _, in := range o.Inherit {
		var p message
		p.bytes(1, []byte(in.Key))
		p.int32(2, in.FD)
		m.bytes(27, p)
	}
	m.number(34, uint64(o.CgroupMode)) //nolint:gosec // a mode
	for _, e := range o.External {
		m.string(37, e)
	}
	if o.EmptyNS != 0 {
		m.number(38, uint64(o.EmptyNS))
	}
	for _, p := range o.JoinNS {
		m.pair(39, p.Key, p.Value)
	}
	m.string(44, o.FreezeCgroup)
	m.flag(46, o.TCPSkipInFlight)
	m.flag(48, o.LazyPages)
	if o.StatusFD >= 0 {
		m.int32(49, o.StatusFD)
	}
	m.flag(50, o.OrphanPtsMaster)
	m.string(51, o.ConfigFile)
	m.flag(52, o.TCPClose)
	m.string(53, o.LSMProfile)
	m.string(63, o.LSMMountLabel)
	return m
}

func (o *Options) pageServer(m *message) {
	if o.PageServer == "" {
		return
	}
	var ps message
	ps.string(1, o.PageServer)
	ps.int32(2, o.PagePort)
	m.bytes(11, ps)
}
