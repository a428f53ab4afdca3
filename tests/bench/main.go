// bench compares hull with runc, crun, and the bare system calls (tests/floor):
// `make bench` runs it, docs/performance.md has what it found last.
//
// Everything is measured in rounds in which each takes its turn, A B C A B C,
// so that whatever else the machine does hits all alike; what is told is the
// median, and the quarter and three quarter points.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// options are the flags.
type options struct {
	hull, also, without, only, floor string
	doc, by, raw, svg                string
	rounds, idleRounds               int
	idle                             time.Duration
	many, more                       int
}

func main() {
	o := &options{}
	flag.StringVar(&o.hull, "hull", "./hull", "hull's binary")
	flag.StringVar(&o.also, "also", "", "compare with another hull too, `NAME=PATH,...`")
	flag.StringVar(&o.without, "without", "", "leave out these runtimes, `NAME,...`")
	flag.StringVar(&o.only, "only", "", "make only these measurements, `NAME,...` of time, idle, many, list, size, count, picture")
	flag.StringVar(&o.floor, "floor", "", "the floor's binary; if there is none, it is built")
	flag.StringVar(&o.doc, "doc", "", "put the tables between the marks in `FILE`")
	flag.StringVar(&o.by, "by", "make bench", "who writes the tables: a part of the marks")
	flag.StringVar(&o.svg, "svg", "", "draw where the time of a run goes into `FILE`")
	flag.StringVar(&o.raw, "raw", "", "write every single measurement to `FILE`")
	flag.IntVar(&o.rounds, "rounds", 60, "rounds back to back")
	flag.IntVar(&o.idleRounds, "idle-rounds", 25, "rounds with idle time before each command")
	flag.DurationVar(&o.idle, "idle", 300*time.Millisecond, "the idle time")
	flag.IntVar(&o.many, "many", 100, "how many containers are brought up, 4 at a time")
	flag.IntVar(&o.more, "more", 1000, "how many containers a long list has")
	flag.Parse()
	if err := bench(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench makes the measurements and tells them.
func bench(o *options) (err error) {
	h, err := newHouse(o)
	if err != nil {
		return err
	}
	defer h.tearDown()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, unix.SIGINT, unix.SIGTERM)
	go func() {
		<-interrupted
		h.tearDown()
		os.Exit(1)
	}()

	for _, part := range []struct {
		name string
		make func(*house) error
	}{
		{"count", counts},
		{"size", sizes},
		{"time", backToBack},
		{"idle", withIdleTime},
		{"many", manyUp},
		{"list", longList},
		{"picture", picture},
	} {
		if o.only != "" && !strings.Contains(","+o.only+",", ","+part.name+",") {
			continue
		}
		fmt.Fprintln(os.Stderr, "bench:", part.name)
		if err := part.make(h); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if err := h.tell(os.Stdout); err != nil {
		return err
	}
	if o.raw != "" {
		if err := h.writeRaw(o.raw); err != nil {
			return err
		}
	}
	if o.doc != "" {
		return h.writeDoc(o.doc)
	}
	return nil
}
