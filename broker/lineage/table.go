package lineage

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A table is text in aligned columns. Cells are shown as they are but for
// what a terminal would obey: names come from the configuration, and those
// of clients that registered themselves from strangers.
type table struct{ rows [][]string }

func (t *table) row(cells ...string) {
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// write puts the table out, two spaces between the columns. The first row
// are their titles.
func (t *table) write(out *strings.Builder) {
	if len(t.rows) < 2 {
		out.WriteString("none\n")
		return
	}
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		out.WriteString(strings.TrimRight(line.String(), " "))
		out.WriteByte('\n')
	}
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
