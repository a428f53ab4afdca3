package seccomp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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
	archs := archsOf(s)
	var filter *libseccomp.ScmpFilter
	tree := true
	for _, a := range archs {
		one, rules, err := buildFor(a, s)
		if err != nil {
			return nil, err
		}
		defer one.Release() // nothing to do for a merged one
		tree = tree && rules > treeFrom
		if filter == nil {
			filter = one
		} else if err := filter.Merge(one); err != nil {
			return nil, fmt.Errorf("%s: %w", a.field, err)
		}
	}
	if tree {
		if err := filter.SetOptimize(2); err != nil {
			return nil, fmt.Errorf("linux.seccomp: %w", err)
		}
	}
	program, err := export(filter)
	if err != nil {
		return nil, fmt.Errorf("linux.seccomp: export the program: %w", err)
	}
	program = append(enosysPrelude(s, archs), program...)
	if n := len(program) / insnSize; n > maxInsns {
		return nil, fmt.Errorf("linux.seccomp: the program has %d instructions, the kernel takes %d: use fewer rules or architectures", n, maxInsns)
	}
	return program, nil
}

// target is an architecture that the program decides for, and the field that says so.
type target struct {
	arch  libseccomp.ScmpArch
	field string
}

// archsOf are the native architecture and those listed, each once.
func archsOf(s *specs.LinuxSeccomp) []target {
	native, _ := libseccomp.GetNativeArch() // fails only on architectures that Go lacks as well
	archs := []target{{native, "linux.seccomp"}}
	for i, name := range s.Architectures {
		arch, _ := lookup(architectures, name)
		if !slices.ContainsFunc(archs, func(a target) bool { return a.arch == arch }) {
			archs = append(archs, target{arch, fmt.Sprintf("linux.seccomp.architectures[%d] (%s)", i, name)})
		}
	}
	return archs
}

// buildFor makes a filter for one architecture and returns how many rules it has.
//
// One filter for all would be shorter, but then a name that only some of them
// have becomes a rule of the others too, for a pseudo-number that no call has.
// When such a rule is the first that libseccomp 2.5.4 writes for an architecture,
// it leaves out the instruction that loads the number, and none of the rules
// there matches: a profile that denies open(2) and some mount(2) would deny
// nothing on arm64.
func buildFor(a target, s *specs.LinuxSeccomp) (*libseccomp.ScmpFilter, int, error) {
	def := actionOf(s.DefaultAction, s.DefaultErrnoRet)
	filter, err := newFilter(def, a.arch)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", a.field, err)
	}
	rules := 0
	for i := range s.Syscalls {
		n, err := addRules(filter, a.arch, def, i, &s.Syscalls[i])
		if err != nil {
			filter.Release()
			return nil, 0, err
		}
		rules += n
	}
	return filter, rules, nil
}

func actionOf(name specs.LinuxSeccompAction, errno *uint) libseccomp.ScmpAction {
	action, _ := lookup(actions, name)
	return action.SetReturnCode(int16(errnoOf(errno))) // kept by ERRNO and TRACE only
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
	if errors.Is(err, unix.EDOM) {
		err = errors.New("its byte order is not the native one; a filter cannot have both")
	}
	if err != nil {
		filter.Release()
		return nil, err
	}
	return filter, nil
}

// addRules adds one entry of linux.seccomp.syscalls and returns how many rules it made.
func addRules(filter *libseccomp.ScmpFilter, arch libseccomp.ScmpArch, def libseccomp.ScmpAction, index int, call *specs.LinuxSyscall) (int, error) {
	action := actionOf(call.Action, call.ErrnoRet)
	if action == def {
		return 0, nil // libseccomp refuses a rule that changes nothing
	}
	conditions := conditionsOf(call.Args)
	n := 0
	for i, name := range call.Names {
		if _, ok := resolve(name, arch); !ok {
			continue
		}
		number, err := libseccomp.GetSyscallFromName(name) // rules are told the native number
		for c := 0; c < len(conditions) && err == nil; c++ {
			err = filter.AddRuleConditional(number, action, conditions[c])
			n++
		}
		if errors.Is(err, unix.EEXIST) {
			err = errors.New("an earlier entry gives the same syscall and args another action")
		}
		if err != nil {
			return n, fmt.Errorf("linux.seccomp.syscalls[%d].names[%d] (%s): %w", index, i, name, err)
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

// firstPseudo is the least of libseccomp's pseudo-numbers for parts of
// socketcall(2) and ipc(2). Below are those for names the architecture lacks.
const firstPseudo = -1000

// resolve is the number that a name has in an architecture. It is negative if
// the call can be made through socketcall(2) or ipc(2) there.
func resolve(name string, arch libseccomp.ScmpArch) (libseccomp.ScmpSyscall, bool) {
	if strings.IndexByte(name, 0) >= 0 {
		return 0, false // C would see "write" in "write\0x", and Check would not
	}
	number, err := libseccomp.GetSyscallFromNameByArch(name, arch)
	return number, err == nil && number > firstPseudo
}

// UnknownSyscalls are the names in the profile that none of its architectures
// has, as far as libseccomp knows. No rule is made of them.
func UnknownSyscalls(s *specs.LinuxSeccomp) []string {
	var unknown []string
	archs := archsOf(s)
	for i := range s.Syscalls {
		for _, name := range s.Syscalls[i].Names {
			known := func(a target) bool { _, ok := resolve(name, a.arch); return ok }
			if !slices.ContainsFunc(archs, known) {
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
