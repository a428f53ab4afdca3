package plan

import (
	"strings"
	"syscall"
)

// Failure is an operation that the kernel refused.
type Failure struct {
	Site
	Fact  string
	Errno syscall.Errno
}

// Error is `json.path (target): fact: errno`.
func (f *Failure) Error() string {
	var b strings.Builder
	if f.Field != "" {
		b.WriteString(f.Field)
		if f.Target != "" {
			b.WriteString(" (" + f.Target + ")")
		}
		b.WriteString(": ")
	}
	b.WriteString(f.Fact + ": " + f.Errno.Error())
	return b.String()
}

func (f *Failure) Unwrap() error { return f.Errno }

// Fail is the failure of o with errno.
func (o *Op) Fail(errno int32) *Failure {
	fact, ok := o.Facts[int(errno)]
	if !ok {
		fact = o.Name
	}
	return &Failure{Site: o.Site, Fact: fact, Errno: syscall.Errno(errno)} //nolint:gosec // positive
}
