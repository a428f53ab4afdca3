package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// table is one table of the report: a row for each measurement, a column for each runtime.
type table struct {
	title, unit string
	rows        []*row
}

type row struct {
	name   string
	target float64              // of the ratio of hull to crun, 0 if there is none
	values map[string][]float64 // by contestant, in the order of the rounds
	words  map[string]string
}

func (h *house) table(title, unit string) *table {
	t := &table{title: title, unit: unit}
	h.tables = append(h.tables, t)
	return t
}

func (t *table) row(name string) *row {
	for _, r := range t.rows {
		if r.name == name {
			return r
		}
	}
	r := &row{name: name, values: map[string][]float64{}, words: map[string]string{}}
	t.rows = append(t.rows, r)
	return r
}

// add notes a time of a round; that of round 0 does not count.
func (r *row) add(round int, name string, took time.Duration) {
	if round > 0 {
		r.put(name, float64(took.Nanoseconds())/1e6)
	}
}

func (r *row) put(name string, v float64) { r.values[name] = append(r.values[name], v) }

func (r *row) say(name, word string) { r.words[name] = word }

// quantile is the value below which the share q of the sorted values lies.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// spread is the quarter point, the median and the three quarter point.
func spread(values []float64) (low, median, high float64) {
	s := slices.Sorted(slices.Values(values))
	return quantile(s, 0.25), quantile(s, 0.5), quantile(s, 0.75)
}

func number(v float64) string {
	switch {
	case v >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// cell is a contestant's part of the row.
func (r *row) cell(name string) string {
	values := r.values[name]
	switch {
	case len(values) == 0:
		return r.words[name]
	case len(values) == 1:
		return number(values[0])
	}
	low, median, high := spread(values)
	return fmt.Sprintf("%s (%s–%s)", number(median), number(low), number(high))
}

// ratio is hull's median as a part of another's, with the quarter points of the rounds' ratios.
func (r *row) ratio(other string) string {
	a, b := r.values["hull"], r.values[other]
	if len(a) == 0 || len(a) != len(b) {
		return ""
	}
	_, ma, _ := spread(a)
	_, mb, _ := spread(b)
	if mb == 0 {
		return ""
	}
	if len(a) == 1 {
		return fmt.Sprintf("%.2f", ma/mb)
	}
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	low, _, high := spread(ratios)
	return fmt.Sprintf("%.2f (%.2f–%.2f)", ma/mb, low, high)
}

// markdown is the table, with ratios where there is something to compare.
func (t *table) markdown(names []string) string {
	var b strings.Builder
	var columns []string
	for _, n := range names {
		if slices.ContainsFunc(t.rows, func(r *row) bool { return len(r.values[n]) > 0 }) {
			columns = append(columns, n)
		}
	}
	head := append([]string{t.title}, columns...)
	var others []string
	for _, n := range columns {
		if n != "hull" {
			others = append(others, n)
			head = append(head, "hull / "+n)
		}
	}
	targets := slices.ContainsFunc(t.rows, func(r *row) bool { return r.target > 0 })
	if targets {
		head = append(head, "wanted")
	}
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat(" --- |", len(head)))
	for _, r := range t.rows {
		cells := []string{r.name}
		for _, n := range columns {
			cells = append(cells, r.cell(n))
		}
		for _, n := range others {
			cells = append(cells, r.ratio(n))
		}
		if targets {
			wanted := ""
			if r.target > 0 {
				wanted = fmt.Sprintf("≤ %v of crun", r.target)
			}
			cells = append(cells, wanted)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	return b.String()
}

func (h *house) names() []string {
	var names []string
	for _, c := range h.runtimes {
		names = append(names, c.name)
	}
	return append(names, "floor")
}

// tell prints all tables.
func (h *house) tell(w io.Writer) error {
	for _, t := range h.tables {
		if _, err := fmt.Fprintln(w, t.markdown(h.names())); err != nil {
			return err
		}
	}
	return nil
}

// writeRaw writes every measurement as JSON.
func (h *house) writeRaw(path string) error {
	all := map[string]map[string]map[string][]float64{}
	for _, t := range h.tables {
		all[t.title] = map[string]map[string][]float64{}
		for _, r := range t.rows {
			all[t.title][r.name] = r.values
		}
	}
	data, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
