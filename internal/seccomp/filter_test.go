package seccomp

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
)

// calls are system calls at and around every number that the profile names,
// with arguments at and around every value it has.
func calls(s *specs.LinuxSeccomp, w *way, r *rand.Rand) []data {
	numbers := []uint32{0, 1, 300, 334, 335, 462, 511, 512, 547, 548, 600, 0xeffff, 0xf0000, 0xf0006, 0xf0800}
	values := []uint64{0, 1, 1 << 31, 1 << 32, 1<<64 - 1}
	for i := range s.Syscalls {
		for _, name := range s.Syscalls[i].Names {
			if n, ok := w.number(name); ok {
				numbers = append(numbers, n-w.base, n-w.base+1)
			}
		}
		for _, a := range s.Syscalls[i].Args {
			values = append(values, a.Value-1, a.Value, a.Value+1, a.ValueTwo, a.ValueTwo|^a.Value)
		}
	}
	if w.arch == libseccomp.ArchX86 {
		numbers = append(numbers, 102, 102, 117, 117, 117, 337, 345)
		for n := uint32(359); n <= 402; n++ {
			numbers = append(numbers, n)
		}
		for part := range uint64(25) {
			values = append(values, part)
		}
	}
	var list []data
	for _, n := range numbers {
		for range 8 {
			d := data{nr: w.base + n, arch: w.audit, ip: r.Uint64()}
			for i := range d.args {
				d.args[i] = values[r.IntN(len(values))]
			}
			list = append(list, d)
		}
	}
	return list
}

// agrees compares a compiled profile with the model.
func agrees(t *testing.T, s *specs.LinuxSeccomp, r *rand.Rand) {
	t.Helper()
	f, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	code := decode(f.Program)
	for i := range ways {
		w := &ways[i]
		for _, d := range calls(s, w, r) {
			if w.arch == libseccomp.ArchAMD64 && d.nr >= x32Bit {
				continue
			}
			got, err := interpret(code, d)
			if err != nil {
				t.Fatal(err)
			}
			if want := model(s, w, d.nr, d.args); got != want {
				t.Fatalf("%s: nr %#x args %x: the filter returns %#x, the model %#x", w.name, d.nr, d.args, got, want)
			}
		}
	}
}

func TestFilterOfRandomProfileAgreesWithModel(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := randomProfile(r)
		if !t.Run("", func(t *testing.T) { agrees(t, s, r) }) {
			b, _ := json.Marshal(s) // of plain structures
			t.Fatalf("seed %d: %s", seed, b)
		}
	}
}

func TestFilterOfEnginesDefaultProfileAgreesWithModel(t *testing.T) {
	for _, name := range []string{"docker-amd64.json", "docker-arm64.json", "podman-amd64.json"} {
		t.Run(name, func(t *testing.T) {
			agrees(t, profile(t, name), rand.New(rand.NewPCG(1, 1)))
		})
	}
}

// libseccomp 2.5.4 loses the rules of an architecture whose first one is for a
// name that it lacks: open here, which arm64 does not have.
func TestRulesHoldWhereAnotherNameIsLacking(t *testing.T) {
	s := parse(t, `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_AARCH64"], "syscalls": [
		{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "op": "SCMP_CMP_EQ", "value": 7}]},
		{"names": ["open"], "action": "SCMP_ACT_ERRNO"}]}`)
	agrees(t, s, rand.New(rand.NewPCG(1, 1)))
}

// libseccomp 2.5.4 lets 2^31 match one of these.
func TestSeveralInequalitiesOnOneArgumentHold(t *testing.T) {
	s := parse(t, `{"defaultAction": "SCMP_ACT_LOG", "syscalls": [
		{"names": ["mount"], "action": "SCMP_ACT_TRAP", "args": [{"index": 2, "op": "SCMP_CMP_GE", "value": 4294967296}]},
		{"names": ["mount"], "action": "SCMP_ACT_TRAP", "args": [{"index": 2, "op": "SCMP_CMP_LT", "value": 2147483648}]}]}`)
	agrees(t, s, rand.New(rand.NewPCG(1, 1)))
}

func TestUnknownNamesAreSkipped(t *testing.T) {
	s := parse(t, `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["mount", "no_such_call", "write\u0000"], "action": "SCMP_ACT_KILL"}, {"names": ["nor_this"], "action": "SCMP_ACT_KILL"}]}`)
	agrees(t, s, rand.New(rand.NewPCG(1, 1)))
}

// An engine may list all architectures there are.
func TestArchitecturesOfOtherMachinesSayNothing(t *testing.T) {
	s := profile(t, "docker-amd64.json")
	want, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Architectures = append(s.Architectures, []specs.Arch{specs.ArchS390X, specs.ArchMIPS64, specs.ArchSHEB, specs.ArchX86}...)
	if got, err := Compile(s); err != nil || !bytes.Equal(got.Program, want.Program) {
		t.Errorf("the program is another: %v", err)
	}
}

func TestRefusesProgramTooLongForTheKernel(t *testing.T) {
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	for v := range uint64(1000) {
		s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{
			Names: []string{"ioctl"}, Action: specs.ActErrno,
			Args: []specs.LinuxSeccompArg{{Index: 1, Op: specs.OpEqualTo, Value: v}},
		})
	}
	const want = " instructions, the kernel takes 4096: use fewer rules or architectures"
	if _, err := Compile(s); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want …%s", err, want)
	}
}
