package script

import (
	"slices"
	"strings"
	"sync"
)

// A Line is what one call of console.log, info, warn, error or debug wrote,
// or one of its lines. The text is printable, and the author's.
type Line struct {
	Level string
	Text  string
}

// A console keeps the first 8 KiB. A run that was given up may still write
// while its report is read.
type console struct {
	blotter *blotter

	mu    sync.Mutex
	lines []Line
	room  int
	cut   bool
}

func newConsole(b *blotter) *console { return &console{blotter: b, room: maxConsole} }

// add keeps text and reports whether there is room for more.
func (c *console) add(level, text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return false
	}
	text = c.blotter.blot(text, maxConsole)
	for line := range strings.SplitSeq(text, "\n") {
		line = printable(line, maxConsole)
		if len(line) >= c.room {
			line = strings.ToValidUTF8(line[:c.room], "")
			c.cut = true
		}
		c.lines = append(c.lines, Line{Level: level, Text: line})
		if c.cut {
			return false
		}
		c.room -= len(line) + 1 // an empty line costs something, too
	}
	return true
}

// written returns the lines so far, and whether some were dropped.
func (c *console) written() (lines []Line, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines), c.cut
}

// A blotter hides a script's secrets in texts that people will read: authors
// log the whole context to see what is in it.
type blotter struct {
	replacer *strings.Replacer
	longest  int
}

// minSecret is the shortest secret that is looked for; shorter ones would
// turn up by chance.
const minSecret = 6

func newBlotter(secrets map[string]string) *blotter {
	var spellings []string
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			// An object is shown as JSON, so a secret in it is, too.
			quoted, _ := encodeJSON(secret) // a string always encodes
			spellings = append(spellings, secret, strings.Trim(quoted, `"`))
		}
	}
	// Longest first, or one secret that begins another would leave its rest.
	slices.SortFunc(spellings, func(a, b string) int { return len(b) - len(a) })
	b := &blotter{}
	var pairs []string
	for _, s := range spellings {
		pairs = append(pairs, s, "[secret]")
		b.longest = max(b.longest, len(s))
	}
	b.replacer = strings.NewReplacer(pairs...)
	return b
}

// blot returns text without secrets. A text as long as the limit may have
// been cut there, within a secret: as much as a secret is dropped from its
// end.
func (b *blotter) blot(text string, limit int) string {
	if len(text) >= limit {
		text = text[:max(0, len(text)-b.longest)]
	}
	return b.replacer.Replace(text)
}
