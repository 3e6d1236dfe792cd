package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much of a foreign text a page shows, in characters; of a URL, bytes.
const (
	maxName  = 80
	maxAbout = 300 // the limit of the purpose parameter, too
	maxURL   = 8192
)

// clean returns s as one line of at most limit characters.
//
// Attacker: who registers a client or writes the link that starts a
// sign-in. Move: a name with line breaks, thousands of characters, or
// characters that reverse the reading direction. Harm: text that looks like
// the page's own, or a host name that reads as another one. Escaping does
// not help, because nothing in it is markup.
func clean(s string, limit int) string {
	var b strings.Builder
	count, blank := 0, false
	for _, c := range s {
		switch {
		case unicode.IsSpace(c):
			blank = b.Len() > 0
			continue
		case c == utf8.RuneError, unicode.IsControl(c), isInvisible(c):
			continue
		}
		if blank {
			b.WriteByte(' ')
			count++
			blank = false
		}
		if count >= limit {
			return strings.TrimRight(b.String(), " ") + "…"
		}
		b.WriteRune(c)
		count++
	}
	return b.String()
}

// isInvisible names the characters that steer text without being seen:
// directional marks, line separators, fillers, tags. The joiners stay; some
// scripts cannot be written without them.
func isInvisible(c rune) bool {
	switch {
	case c == 0x00AD, c == 0x061C, c == 0x180E, c == 0x200B, c == 0xFEFF:
		return true
	case c == 0x200E, c == 0x200F, c == 0x115F, c == 0x1160, c == 0x3164, c == 0xFFA0:
		return true
	case c >= 0x2028 && c <= 0x202E, c >= 0x2060 && c <= 0x206F:
		return true
	case c >= 0xFFF0 && c <= 0xFFFB, c >= 0xE0000 && c <= 0xE0FFF:
		return true
	}
	return false
}

// monogram returns the letter that stands in for a missing logo.
func monogram(name string) string {
	for _, c := range name {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return string(unicode.ToUpper(c))
		}
	}
	return "•"
}
