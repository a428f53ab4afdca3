package cli

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The real-time signals as signal(7) numbers them: the C library keeps the
// kernel's first two for itself.
const (
	sigRTMin = unix.Signal(34)
	sigRTMax = unix.Signal(64)
)

// parseSignal reads a signal's number, or its name with or without SIG, in
// any case; real-time signals are RTMIN+n and RTMAX-n. signal(7)
func parseSignal(word string) (unix.Signal, error) {
	if n, err := strconv.Atoi(word); err == nil {
		if n < 0 || n > int(sigRTMax) {
			return 0, fmt.Errorf("signal %d: must be between 0 and %d", n, sigRTMax)
		}
		return unix.Signal(n), nil
	}
	name := strings.TrimPrefix(strings.ToUpper(word), "SIG")
	if s := unix.SignalNum("SIG" + name); s != 0 {
		return s, nil
	}
	if s, ok := realTimeSignal(name); ok {
		return s, nil
	}
	return 0, fmt.Errorf("unknown signal %q: a name of signal(7), such as TERM, or a number", word)
}

func realTimeSignal(name string) (unix.Signal, bool) {
	base := sigRTMin
	rest, ok := strings.CutPrefix(name, "RTMIN")
	if !ok {
		base = sigRTMax
		if rest, ok = strings.CutPrefix(name, "RTMAX"); !ok {
			return 0, false
		}
	}
	if rest == "" {
		return base, true
	}
	offset, err := strconv.Atoi(rest)
	signal := base + unix.Signal(offset)
	ok = err == nil && (rest[0] == '+' || rest[0] == '-') && signal >= sigRTMin && signal <= sigRTMax
	return signal, ok
}
