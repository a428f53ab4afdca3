package cli

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestSignalsAreNumbersOrNames(t *testing.T) {
	for word, want := range map[string]unix.Signal{
		"9": unix.SIGKILL, "0": 0, "64": 64,
		"KILL": unix.SIGKILL, "SIGKILL": unix.SIGKILL, "term": unix.SIGTERM, "sigusr1": unix.SIGUSR1,
		"WINCH": unix.SIGWINCH, "CHLD": unix.SIGCHLD,
		"RTMIN": 34, "SIGRTMIN": 34, "RTMIN+3": 37, "rtmin+30": 64, "RTMAX": 64, "SIGRTMAX-2": 62,
	} {
		if got, err := parseSignal(word); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", word, got, err, want)
		}
	}
}

func TestRefusesWhatIsNoSignal(t *testing.T) {
	for word, want := range map[string]string{
		"":          `unknown signal "": a name of signal(7), such as TERM, or a number`,
		"BOGUS":     `unknown signal "BOGUS": a name of signal(7), such as TERM, or a number`,
		"SIG":       `unknown signal "SIG": a name of signal(7), such as TERM, or a number`,
		"RTMIN+31":  `unknown signal "RTMIN+31": a name of signal(7), such as TERM, or a number`,
		"RTMIN3":    `unknown signal "RTMIN3": a name of signal(7), such as TERM, or a number`,
		"RTMAX-31":  `unknown signal "RTMAX-31": a name of signal(7), such as TERM, or a number`,
		"RTMIN-1":   `unknown signal "RTMIN-1": a name of signal(7), such as TERM, or a number`,
		"65":        "signal 65: must be between 0 and 64",
		"-9":        "signal -9: must be between 0 and 64",
		"999999999": "signal 999999999: must be between 0 and 64",
	} {
		if _, err := parseSignal(word); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", word, err, want)
		}
	}
}
