package libcontainer

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"hull/internal/fail"
	"hull/internal/plan"
	"hull/internal/sys"
	"hull/specconv"
)

// stepReady tells the parent that everything is in place but the user's
// program, lets it do what only the host can, and closes what is left of the
// host. The parent then saves the state.
func stepReady(b *build) error {
	b.At("", "")
	b.Close(b.proc)
	if b.verb == creating {
		b.letOwnerJoin(true)
	}
	// From here the end of the conversation tells us that the parent is gone.
	b.Prctl("pdeathsig", unix.PR_SET_PDEATHSIG, plan.N(0))
	b.ready = b.Ask("report that the container is ready", []plan.Reg{b.master, b.passwd}, b.onReady)
	for _, r := range []plan.Reg{b.master, b.passwd} {
		if r != plan.None {
			b.Close(r)
		}
	}
	return nil
}

// onReady is the parent's part.
func (b *build) onReady(call *plan.Call) error {
	var files [2]*os.File
	copy(files[:], call.Files)
	if err := b.hostLimits(call.Pid); err != nil {
		return err
	}
	if err := b.lastLimit(); err != nil {
		return err
	}
	if f := files[0]; f != nil {
		if err := b.takeConsole(f); err != nil {
			return err
		}
	}
	if !hasHome(b.process.Env) {
		home, err := homeOf(files[1], int(b.process.User.UID))
		if err != nil {
			return err
		}
		call.Reply = "HOME=" + home
	}
	return b.opt.readyHandler(call)
}

// hostLimits sets what needs rights on the host: a lower oom_score_adj and raised hard limits.
func (b *build) hostLimits(pid int) error {
	p := b.process
	if adj := p.OOMScoreAdj; adj != nil {
		err := sys.WriteProc(strconv.Itoa(pid)+"/oom_score_adj", []byte(strconv.Itoa(*adj)))
		if err != nil && !(b.opt.Rootless && errors.Is(err, unix.EACCES)) {
			return fmt.Errorf("process.oomScoreAdj (%d): write oom_score_adj: %w", *adj, sys.Bare(err))
		}
	}
	return b.raiseHardLimits(pid)
}

// raiseHardLimits raises the hard limits of the stage where the configuration
// asks for more than it has. The stage then sets the values themselves.
func (b *build) raiseHardLimits(pid int) error {
	for i, l := range b.process.Rlimits {
		nr, ok := specconv.Rlimit(l.Type)
		var have unix.Rlimit
		if err := unix.Prlimit(pid, nr, nil, &have); !ok || err != nil || l.Hard <= have.Max {
			continue
		}
		want := unix.Rlimit{Cur: have.Cur, Max: l.Hard}
		if err := unix.Prlimit(pid, nr, &want, nil); err != nil && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("%s (%s): %w", field("process.rlimits", i), l.Type, err)
		} // EPERM: let the stage try, and say so
	}
	return nil
}

// maxPasswd bounds what is read of a container's user database (CVE-2026-61801).
const maxPasswd = 1 << 20

// homeOf is the home directory of uid according to the container's passwd, "/" by default.
func homeOf(path *os.File, uid int) (string, error) {
	if path == nil {
		return "/", nil
	}
	var st unix.Stat_t
	flags := unix.O_RDONLY | unix.O_NONBLOCK
	if fail.Off("kind of passwd") {
		flags = unix.O_RDONLY
	} else if err := unix.Fstat(int(path.Fd()), &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return "/", nil
	}
	f, err := sys.Reopen(path, flags)
	if err != nil {
		return "", fmt.Errorf("/etc/passwd of the container: %w", err)
	}
	defer f.Close()
	limit := int64(maxPasswd)
	if fail.Off("bound of passwd") {
		limit = math.MaxInt64
	}
	users, err := user.ParsePasswdFilter(io.LimitReader(f, limit), func(u user.User) bool { return u.Uid == uid })
	if err != nil || len(users) == 0 || !strings.HasPrefix(users[0].Home, "/") || strings.IndexByte(users[0].Home, 0) >= 0 || len(users[0].Home) > 4000 {
		return "/", nil
	}
	return users[0].Home, nil
}

// stepHold waits for start.
func stepHold(b *build) error {
	if b.opt.listener == nil {
		return nil
	}
	b.At("", "")
	b.hold = b.Hold(b.Inherit(b.opt.listener))
	return nil
}
