package seccomp

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// libseccomp asks the kernel which actions it has; of a rule with another it
// says anything but that.
const refused = "libseccomp does not take the action on this kernel"

// compileFor has libseccomp compile the profile for one ABI.
//
// One filter for all of them would be shorter, but then a name that only some
// have becomes a rule of the others too, for a pseudo-number that no call has.
// When such a rule is the first that libseccomp 2.5.4 writes for an architecture,
// it leaves out the instruction that loads the number, and none of the rules
// there matches: a profile that denies open(2) and some mount(2) would deny
// nothing on arm64.
func compileFor(a *abi, s *specs.LinuxSeccomp) ([]unix.SockFilter, error) {
	filter, err := newFilter(actionOf(s.DefaultAction, s.DefaultErrnoRet), a.arch)
	if err != nil {
		return nil, fmt.Errorf("linux.seccomp.defaultAction (%s): %s: %w", s.DefaultAction, refused, err)
	}
	defer filter.Release()
	if err := addRules(filter, a.arch, s); err != nil {
		return nil, err
	}
	code, err := export(filter)
	if err != nil {
		return nil, fmt.Errorf("linux.seccomp (%s): export the program: %w", a.name, err)
	}
	return code, nil
}

// newFilter makes an empty filter for one architecture.
func newFilter(def libseccomp.ScmpAction, arch libseccomp.ScmpArch) (*libseccomp.ScmpFilter, error) {
	filter, err := libseccomp.NewFilter(def) // for the native architecture
	if err != nil {
		return nil, err
	}
	native, err := filter.IsArchPresent(arch)
	if err == nil && !native {
		if err = filter.AddArch(arch); err == nil {
			err = filter.RemoveArch(libseccomp.ArchNative)
		}
	}
	if err != nil {
		filter.Release()
		return nil, err
	}
	return filter, nil
}

func actionOf(name specs.LinuxSeccompAction, errno *uint) libseccomp.ScmpAction {
	action, _ := lookup(actions, name)
	return action.SetReturnCode(int16(errnoOf(errno))) // kept by ERRNO and TRACE only
}

// addRules adds one rule for each name, which is for an entry without args if
// there is one. For a name that has entries with args only, a single condition
// marks that arguments matter; the rules themselves are in conditions.go.
// libseccomp 2.5.4 mixes up several rules with inequalities for one syscall,
// and can take forever over them.
func addRules(filter *libseccomp.ScmpFilter, arch libseccomp.ScmpArch, s *specs.LinuxSeccomp) error {
	mark := []libseccomp.ScmpCondition{{Argument: 0, Op: libseccomp.CompareEqual}}
	done := map[string]bool{}
	for _, conditions := range [][]libseccomp.ScmpCondition{nil, mark} {
		for i := range s.Syscalls {
			call := &s.Syscalls[i]
			if (len(call.Args) == 0) != (conditions == nil) || isDefault(s, call) {
				continue // libseccomp refuses a rule that changes nothing
			}
			for _, name := range call.Names {
				if _, ok := resolve(name, arch); !ok || done[name] {
					continue
				}
				done[name] = true
				number, err := libseccomp.GetSyscallFromName(name) // rules are told the native number
				if err == nil {
					err = filter.AddRuleConditional(number, actionOf(call.Action, call.ErrnoRet), conditions)
				}
				if err != nil {
					return fmt.Errorf("linux.seccomp.syscalls[%d].action (%s): %s: %w", i, call.Action, refused, err)
				}
			}
		}
	}
	return nil
}

// isDefault tells whether an entry says what the default action says anyway.
func isDefault(s *specs.LinuxSeccomp, call *specs.LinuxSyscall) bool {
	return returnOf(call.Action, call.ErrnoRet) == returnOf(s.DefaultAction, s.DefaultErrnoRet)
}

// firstPseudo is below libseccomp's pseudo-numbers for parts of socketcall(2)
// and ipc(2), and above those for names that an architecture lacks.
const firstPseudo = -1000

// resolve is the number that a name has in an architecture. It is negative if
// the call can be made through socketcall(2) or ipc(2) there.
func resolve(name string, arch libseccomp.ScmpArch) (libseccomp.ScmpSyscall, bool) {
	if strings.IndexByte(name, 0) >= 0 {
		return 0, false // C would see "write" in "write\0x", and specconv would not
	}
	number, err := libseccomp.GetSyscallFromNameByArch(name, arch)
	return number, err == nil && number > firstPseudo
}

// export reads the program through a memfd: seccomp_export_bpf(3) writes it to
// a descriptor, and a pipe may hold no more than a page. (libseccomp 2.6 can
// export to memory; two ways would save nothing.)
func export(filter *libseccomp.ScmpFilter) ([]unix.SockFilter, error) {
	fd, err := unix.MemfdCreate("seccomp", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "seccomp")
	defer file.Close()
	if err := filter.ExportBPF(file); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return decode(b), nil
}

const insnSize = 8 // sizeof(struct sock_filter)

func decode(b []byte) []unix.SockFilter {
	code := make([]unix.SockFilter, 0, len(b)/insnSize)
	for ; len(b) >= insnSize; b = b[insnSize:] {
		code = append(code, unix.SockFilter{
			Code: binary.NativeEndian.Uint16(b), Jt: b[2], Jf: b[3], K: binary.NativeEndian.Uint32(b[4:]),
		})
	}
	return code
}

func encode(code []unix.SockFilter) []byte {
	b := make([]byte, 0, len(code)*insnSize)
	for _, i := range code {
		b = binary.NativeEndian.AppendUint16(b, i.Code)
		b = append(b, i.Jt, i.Jf)
		b = binary.NativeEndian.AppendUint32(b, i.K)
	}
	return b
}
