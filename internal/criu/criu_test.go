package criu

import (
	"errors"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// fields are the numbers and strings of an encoded message, by field.
func fields(t *testing.T, b []byte) (numbers map[int]uint64, strings map[int][]string) {
	t.Helper()
	numbers, strings = map[int]uint64{}, map[int][]string{}
	err := decode(b, func(field int, n uint64, data []byte) error {
		if data == nil {
			numbers[field] = n
		} else {
			strings[field] = append(strings[field], string(data))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return numbers, strings
}

func TestEncodesWhatItDecodes(t *testing.T) {
	o := Options{
		ImagesDir: 7, WorkDir: 300, LogFile: "dump.log", Pid: 1 << 20, Root: "/root", LeaveRunning: true, StatusFD: -1,
		Mounts: []Pair{{"/a", "/b"}, {"", ""}}, CgroupMode: 3, External: []string{"net[1]:x", "pid[2]:y"},
	}
	numbers, strings := fields(t, o.encode())
	for field, want := range map[int]uint64{1: 7, 2: 1 << 20, 3: 1, 9: 4, 12: 1, 17: 300, 24: 1, 34: 3} {
		if numbers[field] != want {
			t.Errorf("field %d is %d, want %d", field, numbers[field], want)
		}
	}
	for _, field := range []int{4, 5, 26, 48, 49, 50} {
		if _, ok := numbers[field]; ok {
			t.Errorf("field %d is there and was not asked for", field)
		}
	}
	if !slices.Equal(strings[37], o.External) || !slices.Equal(strings[10], []string{"dump.log"}) || len(strings[23]) != 2 {
		t.Errorf("the strings are %v", strings)
	}
	if _, pair := fields(t, []byte(strings[23][0])); pair[1][0] != "/a" || pair[2][0] != "/b" {
		t.Errorf("the first mount is %v", pair)
	}
}

func TestNegativeNumbersAreTwosComplement(t *testing.T) {
	var m message
	m.int32(1, -1)
	if numbers, _ := fields(t, m); int32(numbers[1]) != -1 {
		t.Errorf("-1 became %#x", numbers[1])
	}
}

func TestBrokenAnswersAreErrors(t *testing.T) {
	for _, b := range []string{"\x00", "\x0a\x05ab", "\x08", "\x0b", "\x0d123", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"} {
		if _, err := parse([]byte(b)); err == nil {
			t.Errorf("%q was read", b)
		}
	}
}

// served answers requests as criu would, one with each of answers.
func served(t *testing.T, answers ...message) (*Session, chan []byte) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	t.Cleanup(func() { ours.Close() })
	asked := make(chan []byte, len(answers)+1)
	go func() {
		defer theirs.Close()
		b := make([]byte, maxAnswer)
		for _, a := range answers {
			n, err := unix.Read(pair[1], b)
			if err != nil {
				return
			}
			asked <- slices.Clone(b[:n])
			if _, err := theirs.Write(a); err != nil {
				return
			}
		}
	}()
	return New(ours), asked
}

func reply(kind Kind, success bool, more func(*message)) (m message) {
	m.number(1, uint64(kind))
	m.flag(2, success)
	if more != nil {
		more(&m)
	}
	return m
}

func TestEventsAreActedOnBeforeTheAnswer(t *testing.T) {
	event := reply(notify, true, func(m *message) {
		var e message
		e.string(1, "post-restore")
		e.int32(2, 42)
		m.bytes(5, e)
	})
	s, asked := served(t, event, reply(Restore, true, nil))
	var seen []Event
	if err := s.Do(Restore, &Options{}, func(e Event) error { seen = append(seen, e); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Name != "post-restore" || seen[0].Pid != 42 {
		t.Errorf("the events are %v", seen)
	}
	<-asked
	if numbers, _ := fields(t, <-asked); numbers[1] != uint64(notify) || numbers[3] != 1 {
		t.Errorf("the event was answered with %v", numbers)
	}
}

func TestAnErrorOfAnEventEndsIt(t *testing.T) {
	s, asked := served(t, reply(notify, true, nil), reply(Restore, false, nil))
	refusal := errors.New("no")
	if err := s.Do(Restore, &Options{}, func(Event) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("the error is %v", err)
	}
	<-asked
	if numbers, _ := fields(t, <-asked); numbers[3] != 0 {
		t.Error("criu was told to go on")
	}
}

func TestFailuresAreToldAsRuncTellsThem(t *testing.T) {
	s, _ := served(t, reply(Dump, false, func(m *message) { m.int32(7, int(unix.EPERM)) }))
	err := s.Do(Dump, &Options{}, nil)
	if !errors.Is(err, unix.EPERM) || err.Error() != "criu failed: type DUMP errno 1: operation not permitted" {
		t.Errorf("the error is %v", err)
	}
	s, _ = served(t)
	if err := s.Do(Dump, &Options{}, nil); !errors.Is(err, ErrEnded) {
		t.Errorf("the error is %v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(reply(Restore, true, func(m *message) { m.string(9, "text") })))
	f.Add([]byte(reply(notify, true, func(m *message) { m.bytes(5, []byte{0x0a, 1, 'x'}) })))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parse(b) })
}
