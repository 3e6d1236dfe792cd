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
	redactor *redactor

	mu    sync.Mutex
	lines []Line
	room  int
	cut   bool
}

func newConsole(b *redactor) *console { return &console{redactor: b, room: maxConsole} }

// add keeps text and reports whether there is room for more.
func (c *console) add(level, text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return false
	}
	text = c.redactor.redact(text, maxConsole)
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
