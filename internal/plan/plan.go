// Package plan is the program that the stage performs inside the container:
// a list of operations, most of them one system call each, built by the parent.
//
// An operation's arguments are numbers, bytes that travel with the plan, or
// registers that earlier operations have filled (file descriptors mostly). An
// operation that fails ends the plan, unless its errno was declared tolerable
// with [Op.On]. Each operation carries the place in the configuration it was
// made for, so that its failure can be explained without the stage knowing
// any words.
package plan

import (
	"fmt"
	"os"
	"strings"
)

// Reg is a register of the stage: a number, most often a file descriptor. The
// stage starts with every register -1.
type Reg int16

// None is no register: as a result it discards, as a descriptor it is -1.
const None Reg = -1

// maxRegs is how many registers the stage has; stage.h says the same.
const maxRegs = 1024

// Label is a place in the plan that an operation can go on at.
type Label int

// Next is the label of the operation that follows.
const Next Label = -1

// Arg is one argument of an operation: see [N], [Str], [Bytes] and [Reg].
type Arg interface{ arg(*Plan) (argKind, uint64) }

type argKind uint8

const (
	argNumber argKind = iota
	argBlob
	argReg
)

type number uint64

func (n number) arg(*Plan) (argKind, uint64) { return argNumber, uint64(n) }

// N is a number as an argument. Negative numbers keep their two's complement.
func N[T ~int | ~int32 | ~int64 | ~uint | ~uint32 | ~uint64 | ~uintptr](n T) Arg {
	return number(uint64(n))
}

type blob []byte

func (b blob) arg(p *Plan) (argKind, uint64) { return argBlob, p.blob(b) }

// Bytes is the address of a copy of b, aligned to eight bytes.
func Bytes(b []byte) Arg { return blob(b) }

// Str is the address of s with a terminating NUL. A NUL inside s is refused
// when the plan is encoded: it would cut the string.
func Str(s string) Arg { return text(s) }

type text string

func (s text) arg(p *Plan) (argKind, uint64) {
	p.refuseNUL(string(s))
	return argBlob, p.blob(append([]byte(s), 0))
}

func (r Reg) arg(*Plan) (argKind, uint64) { return argReg, uint64(int64(r)) } //nolint:gosec // -1 is None

// Site says what in the configuration an operation was made for.
type Site struct {
	Field  string // JSON path, such as mounts[3]
	Target string // what it acts on, such as /dev/shm; may be empty
}

// Op is one operation of a plan.
type Op struct {
	Site
	Step  string // of the table that the operation comes from; see Plan.Step
	Name  string // what it does, in the kernel's words: "mount tmpfs"
	Facts map[int]string

	kind    uint32
	kinds   [6]argKind
	args    [6]uint64
	dst     Reg
	errnos  [6]uint16
	onErr   Label
	onOK    Label
	plan    *Plan
	handler func(*Call) error
}

// Plan is built front to back and encoded once.
type Plan struct {
	ops    []*Op
	data   []byte
	regs   int
	labels []int
	files  []Inherited
	site   Site
	step   string
	err    error

	Timed bool // the stage notes when each operation has ended
}

// Inherited is a file that the stage is started with, and its register. It is
// opened when the stage is started: a plan alone touches nothing.
type Inherited struct {
	Open func() (*os.File, error)
	Reg  Reg
	Site
}

// New returns an empty plan.
func New() *Plan { return &Plan{} }

// At sets what the operations that follow are made for: a JSON path of the
// configuration and, where there is one, the target.
func (p *Plan) At(field, target string) { p.site = Site{Field: field, Target: target} }

// Step names the step that the operations which follow belong to.
func (p *Plan) Step(name string) {
	p.step = name
	p.At(name, "")
}

// Reg returns a register that nothing uses yet.
func (p *Plan) Reg() Reg {
	if p.regs == maxRegs {
		p.fail(fmt.Errorf("%s: the configuration needs more than %d descriptors", p.site.Field, maxRegs))
		return 0
	}
	p.regs++
	return Reg(p.regs - 1) //nolint:gosec // bounded by maxRegs
}

// Regs returns n registers in a row that nothing uses yet.
func (p *Plan) Regs(n int) []Reg {
	list := make([]Reg, n)
	for i := range list {
		list[i] = p.Reg()
	}
	return list
}

// Inherit lets the stage start with the file that open opens, in the register
// returned. Whoever starts the stage closes the file.
func (p *Plan) Inherit(open func() (*os.File, error)) Reg {
	r := p.Reg()
	p.files = append(p.files, Inherited{open, r, p.site})
	return r
}

// Files are the files that the stage inherits, in order.
func (p *Plan) Files() []Inherited { return p.files }

// NewLabel returns a label that Mark will place.
func (p *Plan) NewLabel() Label {
	p.labels = append(p.labels, -1)
	return Label(len(p.labels) - 1)
}

// Mark places l before the operation that follows.
func (p *Plan) Mark(l Label) { p.labels[l] = len(p.ops) }

// Ops are the operations so far.
func (p *Plan) Ops() []*Op { return p.ops }

// Err is the first problem met while building.
func (p *Plan) Err() error { return p.err }

func (p *Plan) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *Plan) refuseNUL(s string) {
	if strings.IndexByte(s, 0) >= 0 {
		p.fail(fmt.Errorf("%s: %q contains a NUL byte", p.site.Field, s))
	}
}

// blob appends b to the plan's data and returns its offset.
func (p *Plan) blob(b []byte) uint64 {
	off := len(p.data)
	p.data = append(p.data, b...)
	for len(p.data)%8 != 0 {
		p.data = append(p.data, 0)
	}
	return uint64(off)
}

// add appends an operation of kind with args.
func (p *Plan) add(kind uint32, name string, args ...Arg) *Op {
	op := &Op{Site: p.site, Step: p.step, Name: name, kind: kind, dst: None, onErr: Next, onOK: Next, plan: p}
	for i, a := range args {
		op.kinds[i], op.args[i] = a.arg(p)
	}
	p.ops = append(p.ops, op)
	return op
}

// Into stores the result of the operation in a new register and returns it.
func (o *Op) Into() Reg {
	o.dst = o.plan.Reg()
	return o.dst
}

// To stores the result of the operation in r.
func (o *Op) To(r Reg) *Op {
	o.dst = r
	return o
}

// On declares errnos with which the operation may fail: the plan then goes on
// at l, and the result register, if any, holds the negative errno.
func (o *Op) On(l Label, errnos ...error) *Op {
	o.onErr = l
	for _, e := range errnos {
		o.tolerate(e)
	}
	return o
}

// Then lets the plan go on at l when the operation has succeeded.
func (o *Op) Then(l Label) *Op {
	o.onOK = l
	return o
}

// Because gives the fact to report when the operation fails with errno, in
// place of the operation's name.
func (o *Op) Because(errno error, fact string) *Op {
	if o.Facts == nil {
		o.Facts = map[int]string{}
	}
	o.Facts[errnoOf(errno)] = fact
	return o
}

// Goto goes on at l.
func (p *Plan) Goto(l Label) { p.add(kindNop, "go on").Then(l) }

// Test does nothing, and has the result that the operation before it left in r: an errno or success.
func (p *Plan) Test(r Reg) *Op { return p.add(kindNop, "go on", r) }
