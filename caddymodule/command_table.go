package caddymodule

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// A commandTable puts out rows in aligned columns as they come: it holds at
// most tableBlock of them, so that columns may be of another width from one
// block to the next.
type commandTable struct {
	w    *tabwriter.Writer
	rows int
	err  error
}

const tableBlock = 1000

func newTable(out io.Writer, titles ...string) *commandTable {
	t := &commandTable{w: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	t.row(titles...)
	return t
}

// row adds one. Cells are shown as they are but for what a terminal would
// obey: subjects and devices are text of others.
func (t *commandTable) row(cells ...string) {
	for i := range cells {
		cells[i] = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return unicode.ReplacementChar
		}, cells[i])
	}
	if _, err := fmt.Fprintln(t.w, strings.Join(cells, "\t")); err != nil && t.err == nil {
		t.err = err
	}
	if t.rows++; t.rows%tableBlock == 0 {
		_ = t.flush() // flush tells again
	}
}

func (t *commandTable) flush() error {
	if err := t.w.Flush(); err != nil && t.err == nil {
		t.err = err
	}
	return t.err
}

// stamp is a time in a table, in UTC; none is a dash.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
