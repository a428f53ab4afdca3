package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lane is a line of the picture: what one process did, one thing after the other.
type lane struct {
	name string
	bars []bar
}

// bar is one phase, in milliseconds after the command was started.
type bar struct {
	name       string
	begin, end float64
}

// picture draws where the time of one `run` goes, for hull and for the floor.
// Of several runs it takes the one of middle length.
func picture(h *house) error {
	if h.svg == "" {
		return nil
	}
	var lanes []lane
	for _, one := range []func(*house) ([]lane, error){tracedHull, tracedFloor} {
		const runs = 21
		var all [][]lane
		for range runs {
			l, err := one(h)
			if err != nil {
				return err
			}
			all = append(all, l)
		}
		slices.SortFunc(all, func(a, b []lane) int { return int(1e6 * (last(a) - last(b))) })
		lanes = append(lanes, all[runs/2]...)
	}
	return os.WriteFile(h.svg, []byte(draw(lanes)), 0o644)
}

// last is when the last phase ended.
func last(lanes []lane) (end float64) {
	for _, l := range lanes {
		for _, b := range l.bars {
			end = max(end, b.end)
		}
	}
	return end
}

func tracedHull(h *house) ([]lane, error) {
	path := filepath.Join(h.dir, "trace.json")
	c := h.runtimes[0]
	begin := time.Now()
	if _, err := c.run("--trace", path, "run", "--bundle", h.bundle(plain), c.name+"-traced"); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		TraceEvents []struct {
			Name, Ph string
			Ts, Dur  float64
			Pid      int
			Args     map[string]string
		}
		OtherData struct{ Began string }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	began, err := strconv.ParseInt(file.OtherData.Began, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: began: %w", path, err)
	}
	before := float64(began-begin.UnixNano()) / 1e6
	names := map[int]string{}
	bars := map[string][]bar{"hull": {{"exec", 0, before}}}
	for _, e := range file.TraceEvents {
		who := names[e.Pid]
		b := bar{e.Name, before + e.Ts/1e3, before + (e.Ts+e.Dur)/1e3}
		switch {
		case e.Ph == "M":
			names[e.Pid] = e.Args["name"]
		case e.Name == "hull": // all of it
		case covered(bars[who], b): // a part of another
		default:
			bars[who] = append(bars[who], b)
		}
	}
	return []lane{{"hull", bars["hull"]}, {"hull's container", bars["stage"]}}, nil
}

// covered says whether one of the bars contains b.
func covered(bars []bar, b bar) bool {
	const rounding = 1e-5
	return slices.ContainsFunc(bars, func(o bar) bool { return o.begin <= b.begin+rounding && b.end <= o.end+rounding })
}

func tracedFloor(h *house) ([]lane, error) {
	begin := time.Now()
	out, err := exec.Command(h.floor, append([]string{"-t", h.rootfs()}, h.cgroups...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	bars, at := map[string][]bar{}, map[string]float64{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 3 {
			return nil, fmt.Errorf("floor: printed %q", line)
		}
		ns, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("floor: printed %q: %w", line, err)
		}
		who, end := f[1], float64(ns-begin.UnixNano())/1e6
		if f[2] == "clone" && who == "child" { // it begins to be
			at[who] = end
			continue
		}
		bars[who] = append(bars[who], bar{f[2], at[who], end})
		at[who] = end
	}
	return []lane{{"floor", bars["parent"]}, {"floor's container", bars["child"]}}, nil
}

// draw makes the picture.
func draw(lanes []lane) string {
	const (
		left, width    = 130, 1150
		top, height    = 24, 26
		space, letters = 16, 6.2 // between lanes; the width of a letter
	)
	end := last(lanes)
	x := func(ms float64) float64 { return left + ms/end*width }
	bottom := top + len(lanes)*(height+space)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", left+width+20, bottom+30)
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	for ms := 0.0; ms <= end; ms += tick(end) {
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ddd"/>`, x(ms), x(ms), top-8, bottom)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%g ms</text>`+"\n", x(ms), bottom+14, ms)
	}
	colours := []string{"#9ecae1", "#c6dbef", "#fdd0a2", "#c7e9c0", "#dadaeb", "#fdae6b", "#a1d99b", "#bcbddc"}
	for i, l := range lanes {
		y := top + i*(height+space)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-8, y+height/2+4, l.name)
		for k, p := range l.bars {
			w := max(x(p.end)-x(p.begin), 0.5)
			fmt.Fprintf(&b, `<g><title>%s: %.3f ms, from %.3f</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" stroke="white" stroke-width="0.5"/>`,
				p.name, p.end-p.begin, p.begin, x(p.begin), y, w, height, colours[k%len(colours)])
			if float64(len(p.name))*letters < w {
				fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`, x(p.begin)+w/2, y+height/2+4, p.name)
			}
			b.WriteString("</g>\n")
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// tick is the distance of the marks on a scale to end.
func tick(end float64) float64 {
	for _, step := range []float64{0.1, 0.25, 0.5, 1, 2, 5, 10} {
		if end/step <= 16 {
			return step
		}
	}
	return 50
}
