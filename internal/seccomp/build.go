package seccomp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

const (
	insnSize = 8    // sizeof(struct sock_filter)
	maxInsns = 4096 // BPF_MAXINSNS, linux/bpf_common.h

	// With more rules than this, a binary tree of numbers is shorter to walk
	// than a list. libseccomp 2.5 puts four syscalls into each leaf.
	treeFrom = 32
)

// build makes the program of a profile that Check has passed.
func build(s *specs.LinuxSeccomp) ([]byte, error) {
	def := actionOf(s.DefaultAction, s.DefaultErrnoRet)
	filter, err := libseccomp.NewFilter(def) // for the native architecture
	if err != nil {
		return nil, fmt.Errorf("linux.seccomp.defaultAction (%s): %w", s.DefaultAction, err)
	}
	defer filter.Release()
	if err := addArchitectures(filter, s.Architectures); err != nil {
		return nil, err
	}
	rules := 0
	for i := range s.Syscalls {
		n, err := addRules(filter, def, i, &s.Syscalls[i])
		if err != nil {
			return nil, err
		}
		rules += n
	}
	if rules > treeFrom {
		if err := filter.SetOptimize(2); err != nil {
			return nil, fmt.Errorf("linux.seccomp: %w", err)
		}
	}
	program, err := export(filter)
	if err != nil {
		return nil, fmt.Errorf("linux.seccomp: export the program: %w", err)
	}
	program = append(enosysPrelude(s), program...)
	if n := len(program) / insnSize; n > maxInsns {
		return nil, fmt.Errorf("linux.seccomp: the program has %d instructions, the kernel takes %d: use fewer rules or architectures", n, maxInsns)
	}
	return program, nil
}

func actionOf(name specs.LinuxSeccompAction, errno *uint) libseccomp.ScmpAction {
	action, _ := lookup(actions, name)
	return action.SetReturnCode(int16(errnoOf(errno))) // kept by ERRNO and TRACE only
}

func addArchitectures(filter *libseccomp.ScmpFilter, list []specs.Arch) error {
	for i, name := range list {
		arch, _ := lookup(architectures, name)
		err := filter.AddArch(arch)
		if errors.Is(err, unix.EDOM) {
			err = errors.New("its byte order is not the native one; a filter cannot have both")
		}
		if err != nil {
			return fmt.Errorf("linux.seccomp.architectures[%d] (%s): %w", i, name, err)
		}
	}
	return nil
}

// addRules adds one entry of linux.seccomp.syscalls and returns how many rules it made.
func addRules(filter *libseccomp.ScmpFilter, def libseccomp.ScmpAction, index int, call *specs.LinuxSyscall) (int, error) {
	action := actionOf(call.Action, call.ErrnoRet)
	if action == def {
		return 0, nil // libseccomp refuses a rule that changes nothing
	}
	conditions := conditionsOf(call.Args)
	n := 0
	for i, name := range call.Names {
		number, ok := resolve(name)
		if !ok {
			continue
		}
		for _, all := range conditions {
			if err := filter.AddRuleConditional(number, action, all); err != nil {
				if errors.Is(err, unix.EEXIST) {
					err = errors.New("an earlier entry gives the same syscall and args another action")
				}
				return n, fmt.Errorf("linux.seccomp.syscalls[%d].names[%d] (%s): %w", index, i, name, err)
			}
			n++
		}
	}
	return n, nil
}

// conditionsOf is the list of rules that args makes, each a list of conditions
// that must all hold. libseccomp takes one condition per argument. When args
// has two, they are alternatives and so are all the others, as in runc.
func conditionsOf(args []specs.LinuxSeccompArg) [][]libseccomp.ScmpCondition {
	all := make([]libseccomp.ScmpCondition, len(args))
	var seen [maxArgs]bool
	repeated := false
	for i, arg := range args {
		op, _ := lookup(operators, arg.Op)
		all[i] = libseccomp.ScmpCondition{Argument: arg.Index, Op: op, Operand1: arg.Value, Operand2: arg.ValueTwo}
		repeated = repeated || seen[arg.Index]
		seen[arg.Index] = true
	}
	if !repeated {
		return [][]libseccomp.ScmpCondition{all}
	}
	each := make([][]libseccomp.ScmpCondition, len(all))
	for i := range all {
		each[i] = all[i : i+1]
	}
	return each
}

// resolve is the number libseccomp has for a name: the native one, or a
// negative one of its own for a name that only other architectures have.
func resolve(name string) (libseccomp.ScmpSyscall, bool) {
	if strings.IndexByte(name, 0) >= 0 {
		return 0, false // C would see "write" in "write\0x", and Check would not
	}
	number, err := libseccomp.GetSyscallFromName(name)
	return number, err == nil
}

// UnknownSyscalls are the names in the profile that libseccomp does not know.
// No rule is made of them.
func UnknownSyscalls(s *specs.LinuxSeccomp) []string {
	var unknown []string
	for i := range s.Syscalls {
		for _, name := range s.Syscalls[i].Names {
			if _, ok := resolve(name); !ok {
				unknown = append(unknown, name)
			}
		}
	}
	return unknown
}

// export reads the program through a memfd: seccomp_export_bpf(3) writes it to
// a descriptor, and a pipe may hold no more than a page. (libseccomp 2.6 can
// export to memory; two ways would save nothing.)
func export(filter *libseccomp.ScmpFilter) ([]byte, error) {
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
	return io.ReadAll(file)
}
