package ui

import (
	"fmt"
	"regexp"
	"strings"
)

// A palette is the colours of one scheme by the names that the style sheet
// has for them, without the dashes in front.
type palette map[string]rgb

// A pair is two colours that meet on a page, and the contrast that WCAG 2.2
// AA asks of them: 4.5 to 1 for text (1.4.3), 3 to 1 for what shows where a
// control is (1.4.11).
type pair struct {
	front, back string
	atLeast     float64
}

// pairs are all that meet.
func pairs() []pair {
	return []pair{
		{"text", "card", 4.5},
		{"text", "ground", 4.5},
		{"text", "tint", 4.5},
		{"quiet", "card", 4.5},
		{"quiet", "ground", 4.5},
		{"quiet", "tint", 4.5},
		{"accent", "card", 4.5},
		{"accent", "ground", 4.5},
		{"accent", "tint", 4.5},
		{"accent-strong", "card", 4.5},
		{"accent-strong", "ground", 4.5},
		{"accent-strong", "tint", 4.5},
		{"on-accent", "accent", 4.5},
		{"on-accent", "accent-strong", 4.5},
		{"on-note", "note", 4.5},
		{"edge", "card", 3},
		{"edge", "ground", 3},
		{"edge", "tint", 3},
	}
}

// poor returns the pairs with this name on either side that lack contrast;
// those of all names if it is empty. Names that p lacks are passed over.
func (p palette) poor(name string) []pair {
	var out []pair
	for _, q := range pairs() {
		if name != "" && q.front != name && q.back != name {
			continue
		}
		front, known := p[q.front]
		back, also := p[q.back]
		if known && also && contrast(front, back) < q.atLeast {
			out = append(out, q)
		}
	}
	return out
}

var (
	schemeBlock = regexp.MustCompile(`(?s):root \{(.*?)\}`)
	schemeLine  = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
)

// palettes reads the schemes of the style sheet, light and dark, so that
// what an accent has to stand out against is written once.
func palettes(css []byte) (out [2]palette) {
	for i, block := range schemeBlock.FindAllSubmatch(css, 2) {
		out[i] = palette{}
		for _, m := range schemeLine.FindAllSubmatch(block[1], -1) {
			out[i][string(m[1])], _ = parseRGB(string(m[2]))
		}
	}
	return out
}

// step is how far lightness moves at a time: less than an eye can tell.
const step = .005

// An Accent is the operator's colour.
type Accent struct{ wanted rgb }

// ParseAccent reads "#rgb" or "#rrggbb".
func ParseAccent(s string) (Accent, error) {
	c, ok := parseRGB(s)
	if !ok {
		return Accent{}, fmt.Errorf(`%q is no colour; write one as "#rgb" or "#rrggbb", in quotes`, s)
	}
	return Accent{c}, nil
}

// css returns the rules that give pages the operator's colour. Its hue
// is kept. Its lightness is, too, unless something would be hard to read:
// then it is pulled to where it is not.
func (a Accent) css(base []byte) string {
	schemes := palettes(base)
	for _, p := range schemes {
		for _, name := range accentNames() {
			delete(p, name) // what is replaced must not hold the new one back
		}
	}
	schemes[0].lightAccent(a.wanted.oklch())
	schemes[1].darkAccent(a.wanted.oklch())
	return "\n:root {\n" + schemes[0].accentLines() + "}\n\n@media (prefers-color-scheme: dark) {\n:root {\n" + schemes[1].accentLines() + "}\n}\n"
}

// accentNames are the colours that follow from the accent.
func accentNames() []string { return []string{"accent", "accent-strong", "on-accent", "tint"} }

func (p palette) accentLines() string {
	var b strings.Builder
	for _, name := range accentNames() {
		fmt.Fprintf(&b, "\t--%s: %s;\n", name, p[name])
	}
	return b.String()
}

// lightAccent puts a dark accent with white text on it into p.
func (p palette) lightAccent(c oklch) {
	p.settle("tint", oklch{.955, min(c.c*.2, .018), c.h}, step)
	p["on-accent"] = rgb{255, 255, 255}
	c.l = p.settle("accent", c, -step)
	if c.l > .25 {
		c.l -= .09
	} else {
		c.l += .25 // next to black, darker would not show
	}
	p.settle("accent-strong", c, -step)
}

// darkAccent puts a light accent with dark text on it into p. Strong colours
// glow on a dark ground, so some of the chroma is taken back.
func (p palette) darkAccent(c oklch) {
	p.settle("tint", oklch{.29, min(c.c*.25, .035), c.h}, -step)
	p["on-accent"] = oklch{.21, min(c.c*.25, .03), c.h}.rgb()
	c.c = min(c.c, .14)
	c.l = p.settle("accent", oklch{max(c.l, .76), c.c, c.h}, step)
	if c.l < .92 {
		c.l += .07
	} else {
		c.l -= .1 // next to white, lighter would not show
	}
	p.settle("accent-strong", c, step)
}

// settle gives a name the colour c, after moving its lightness by steps until
// every pair with it in p has its contrast, and returns that lightness. It
// ends at black or white at the latest, which stand out against every ground
// in base.css.
func (p palette) settle(name string, c oklch, by float64) float64 {
	for {
		p[name] = c.rgb()
		if len(p.poor(name)) == 0 || c.l+by < 0 || c.l+by > 1 {
			return c.l
		}
		c.l += by
	}
}
