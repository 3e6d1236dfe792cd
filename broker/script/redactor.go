package script

import (
	"slices"
	"strings"
)

// A redactor hides a script's secrets in texts that people will read: authors
// log the whole context to see what is in it.
type redactor struct {
	replacer *strings.Replacer
	longest  int
}

// minSecret is the shortest secret that is looked for; shorter ones would
// turn up by chance.
const minSecret = 6

func newRedactor(secrets map[string]string) *redactor {
	spellings := make([]string, 0, 2*len(secrets))
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			// An object is shown as JSON, so a secret in it is, too.
			quoted, _ := encodeJSON(secret) // a string always encodes
			spellings = append(spellings, secret, strings.Trim(quoted, `"`))
		}
	}
	// Longest first, or one secret that begins another would leave its rest.
	slices.SortFunc(spellings, func(a, b string) int { return len(b) - len(a) })
	b := &redactor{}
	pairs := make([]string, 0, 2*len(spellings))
	for _, s := range spellings {
		pairs = append(pairs, s, "[secret]")
		b.longest = max(b.longest, len(s))
	}
	b.replacer = strings.NewReplacer(pairs...)
	return b
}

// redact returns text without secrets. A text as long as the limit may have
// been cut there, within a secret: as much as a secret is dropped from its
// end.
func (b *redactor) redact(text string, limit int) string {
	if len(text) >= limit {
		text = text[:max(0, len(text)-b.longest)]
	}
	return b.replacer.Replace(text)
}
