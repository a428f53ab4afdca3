package nsenter

import (
	"encoding/binary"
	"testing"

	"hull/internal/plan"
)

// The stage is our own code, but it is one bug away from being the container's.
func FuzzMessages(f *testing.F) {
	message := func(kind, op uint32, value int32) []byte {
		b := binary.NativeEndian.AppendUint32(nil, kind)
		b = binary.NativeEndian.AppendUint32(b, op)
		return binary.NativeEndian.AppendUint32(b, uint32(value))
	}
	for kind := range uint32(6) {
		f.Add(message(kind, 0, -1))
		f.Add(message(kind, 1, 1<<30))
		f.Add(message(kind, 1<<31, 0))
	}
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(b)
		if (err == nil) != (len(b) == messageSize) {
			t.Fatalf("%d bytes: error %v", len(b), err)
		}
		if err != nil || m.kind == msgForked || m.kind == msgListener { // these name a process and a descriptor
			return
		}
		p := plan.New()
		p.Syscall("nothing", 0).Because(plan.AnyErrno, "nothing")
		s := &Stage{plan: p}
		if op, err := s.handle(m); err == nil {
			t.Errorf("%+v was believed: %v", m, op)
		}
		released := &Stage{failed: func(uint32, int32) error { return nil }}
		if _, err := released.handle(m); err != nil && m.kind == msgFailed {
			t.Errorf("the failure %+v is not explained: %v", m, err)
		}
	})
}
