package lineage

import (
	"fmt"
	"strings"
	"unicode"
)

// labelLength is where a label is cut, in letters: one name must not push all
// others out of the picture.
const labelLength = 80

// quote returns text for a quoted label: letters, digits and blanks as they
// are, all else by number in the form of the language, in which no character
// with a meaning is left.
//
// Attacker: who registers a client, or names something in a file that others
// include. Move: a name that ends the label, with a statement behind it such
// as a link. Harm: the picture of who gets what shows something else, or
// leads away whoever clicks on it.
func quote(text, form string) string {
	runes := []rune(cut(text, labelLength))
	var out strings.Builder
	for i, c := range runes {
		if plain(c) || strings.ContainsRune("-./", c) && i+1 < len(runes) && plain(runes[i+1]) && runes[i+1] != ' ' {
			out.WriteRune(c)
			continue
		}
		fmt.Fprintf(&out, form, c)
	}
	return out.String()
}

func plain(c rune) bool {
	return unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) || c == ' ' || c == '_'
}
