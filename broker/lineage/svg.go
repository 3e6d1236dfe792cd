package lineage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Measures of the picture, in its own units: CSS pixels unless it is zoomed.
const (
	boxWidth   = 176
	boxHeight  = 38
	rowHeight  = 46
	gap        = 72 // between columns
	margin     = 8
	headHeight = 28

	// Longest texts, in characters of average width. The whole is in the
	// title of the box, and in the lists.
	nameLength   = 18
	detailLength = 24
)

// A picture is a drawing with a place for everything.
type picture struct {
	Width, Height int
	Heads         []pictureHead
	Lines         []pictureLine
	Boxes         []pictureBox
}

type pictureHead struct {
	X, Y int
	Text string
}

type pictureLine struct {
	Path, Class string
}

type pictureBox struct {
	X, Y, Width, Height   int
	TextX, NameY, DetailY int
	Name, Detail          string // cut to the width
	Title                 string // whole
	Class, Href           string
}

// layout finds the height of each box, and of all. Boxes stand as near as
// there is room to what leads to them, so that lines are flat and cross
// seldom. Those that are lit come first: nobody has to look for them.
func (d *drawing) layout(lit *lighting) (y []int, height int) {
	rows := 1
	for c := range columns {
		rows = max(rows, len(d.in(c)))
	}
	l := &layout{drawing: d, lit: lit, y: make([]int, len(d.boxes)), bottom: (rows - 1) * rowHeight}
	l.stack(attributes, nil)
	for _, c := range []column{contexts, claimed, apps} {
		l.stack(c, func(l line) (int, int) { return l.to, l.from })
	}
	l.stack(providers, func(l line) (int, int) { return l.from, l.to })
	return l.y, rows * rowHeight
}

// A layout is the work on the heights, y, of the boxes.
type layout struct {
	*drawing
	lit    *lighting
	y      []int
	bottom int // the lowest height
}

// stack places the boxes of a column, each where the middle of its
// neighbours is or, without any, behind the one before.
func (l *layout) stack(c column, ends func(line) (own, neighbour int)) {
	boxes := l.in(c)
	wanted := map[int]int{}
	last := 0
	for n, i := range boxes {
		if ends == nil {
			wanted[i] = n * rowHeight
			continue
		}
		if middle, found := l.middle(i, ends); found {
			last = middle
		}
		wanted[i] = last
	}
	slices.SortStableFunc(boxes, func(a, b int) int {
		return cmp.Or(cmp.Compare(l.rank(a), l.rank(b)), cmp.Compare(wanted[a], wanted[b]))
	})
	next := 0
	for _, i := range boxes {
		l.y[i] = max(next, wanted[i])
		if ends == nil {
			l.y[i] = next
		}
		next = l.y[i] + rowHeight
	}
	limit := l.bottom
	for _, i := range slices.Backward(boxes) {
		l.y[i] = min(l.y[i], limit)
		limit = l.y[i] - rowHeight
	}
}

// rank is 0 for boxes that come first.
func (l *layout) rank(i int) int {
	if l.lit != nil && !l.lit.boxes[i] {
		return 1
	}
	return 0
}

// middle is the mean height of the neighbours of a box. For a lit one only
// lit ones count.
func (l *layout) middle(i int, ends func(line) (own, neighbour int)) (middle int, found bool) {
	sum, count := 0, 0
	for n, line := range l.lines {
		own, neighbour := ends(line)
		if own == i && (l.lit == nil || !l.lit.boxes[i] || l.lit.lines[n]) {
			sum, count = sum+l.y[neighbour], count+1
		}
	}
	if count == 0 {
		return 0, false
	}
	return sum / count, true
}

// picture draws. Lit are the nodes and lines that are looked at, by index,
// nil for no choice; href tells where a box leads.
func (d *drawing) picture(lit *lighting, href func(box) string) *picture {
	y, height := d.layout(lit)
	p := &picture{Width: int(columns)*boxWidth + int(columns-1)*gap + 2*margin, Height: height + headHeight + margin}
	x := func(c column) int { return margin + int(c)*(boxWidth+gap) }
	top := func(i int) int { return headHeight + margin + y[i] }
	for c := range columns {
		p.Heads = append(p.Heads, pictureHead{X: x(c), Y: headHeight - margin, Text: c.Title()})
	}
	for i, l := range d.lines {
		x1, y1 := x(d.boxes[l.from].column)+boxWidth, top(l.from)+boxHeight/2
		x2, y2 := x(d.boxes[l.to].column), top(l.to)+boxHeight/2
		p.Lines = append(p.Lines, pictureLine{
			Path:  fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+gap/2, y1, x2-gap/2, y2, x2, y2),
			Class: class("line", l.dead, lit != nil && lit.lines[i], lit != nil),
		})
	}
	// Lit ones last, over the others.
	slices.SortStableFunc(p.Lines, func(a, b pictureLine) int { return cmp.Compare(weight(a.Class), weight(b.Class)) })
	for i, b := range d.boxes {
		p.Boxes = append(p.Boxes, pictureBox{
			X: x(b.column), Y: top(i), Width: boxWidth, Height: boxHeight,
			TextX: x(b.column) + 10, NameY: top(i) + 16, DetailY: top(i) + 31,
			Name: cut(b.name, nameLength), Detail: cut(b.detail, detailLength),
			Title: b.title(), Href: href(b),
			Class: class("box", b.dead, lit != nil && lit.boxes[i], lit != nil),
		})
	}
	// In the order in which the eye meets them: Tab goes by it.
	slices.SortStableFunc(p.Boxes, func(a, b pictureBox) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) })
	return p
}

// A lighting says which boxes and lines of a drawing are looked at.
type lighting struct{ boxes, lines []bool }

func class(kind string, dead, lit, chosen bool) string {
	if dead {
		kind += " dead"
	}
	switch {
	case lit:
		return kind + " lit"
	case chosen:
		return kind + " dim"
	}
	return kind
}

// weight is what lines are drawn in the order of.
func weight(class string) int {
	if strings.HasSuffix(class, " lit") {
		return 1
	}
	return 0
}

// title is all about a box on one line.
func (b box) title() string {
	title := b.column.singular()
	if b.owner != "" {
		title += " of " + printable(b.owner)
	}
	title += ": " + printable(b.name)
	if b.detail != "" && b.detail != b.name {
		title += ", " + printable(b.detail)
	}
	if b.dead {
		title += " (leads nowhere)"
	}
	return title
}

func (c column) singular() string {
	return [columns]string{"Provider", "Attribute", "Context", "Claim", "App"}[c]
}

// cut shortens text to the width of about as many letters. The characters of
// East Asia are twice as wide.
func cut(text string, letters int) string {
	runes := []rune(printable(text))
	width := 0
	for i, c := range runes {
		width++
		if unicode.In(c, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || c > 0xFFFF {
			width++
		}
		if width > letters {
			return string(runes[:i]) + "…"
		}
	}
	return string(runes)
}
