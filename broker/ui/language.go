package ui

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// languages returns the catalogues there are. The first one is for visitors
// who ask for none of them.
func languages() []*catalogue { return []*catalogue{english(), german()} }

// Languages returns the tags (BCP 47) of the languages that the pages speak:
// what metadata calls ui_locales_supported (OpenID Connect Discovery, 3).
func Languages() []string {
	all := languages()
	tags := make([]string, len(all))
	for i, c := range all {
		tags[i] = c.Lang
	}
	return tags
}

// maxRanges is how many languages of a request are looked at. Browsers send
// a handful; whoever sends thousands gets no more work out of us.
const maxRanges = 64

// language returns the catalogue that answers a request: the one that the
// sign-in asks for, else the one that the browser asks for, else the first.
// Nothing in either is an error: a page in the wrong language can be read,
// and no page at all cannot.
func (p *Pages) language(r *http.Request, locales string) *catalogue {
	if c := p.wanted(locales); c != nil {
		return c
	}
	if c := p.accepted(r.Header.Values("Accept-Language")); c != nil {
		return c
	}
	return p.languages[0]
}

// Language returns the language (BCP 47) in which a page answers the request,
// where the sign-in asks for locales.
func (p *Pages) Language(r *http.Request, locales string) string { return p.language(r, locales).Lang }

// wanted returns the first catalogue that ui_locales names (OpenID Connect
// Core, 3.1.2.1), or nil.
func (p *Pages) wanted(locales string) *catalogue {
	count := 0
	for tag := range strings.FieldsSeq(locales) {
		if count++; count > maxRanges {
			break
		}
		if i := p.lookup(tag); i >= 0 {
			return p.languages[i]
		}
	}
	return nil
}

// accepted returns the catalogue with the highest weight in the lines of
// Accept-Language (RFC 9110, 12.5.4), of equals the one named first, or nil.
func (p *Pages) accepted(lines []string) *catalogue {
	var best *catalogue
	var weight, rest float64 // of best, and of "*"
	named := make([]bool, len(p.languages))
	count := 0
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			if count++; count > maxRanges {
				break
			}
			tag, q, ok := languageRange(element)
			if !ok {
				continue
			}
			if tag == "*" {
				rest = q
				continue
			}
			if i := p.lookup(tag); i >= 0 {
				named[i] = true
				if q > weight {
					best, weight = p.languages[i], q
				}
			}
		}
	}
	if i := slices.Index(named, false); i >= 0 && rest > weight {
		return p.languages[i]
	}
	return best
}

// lookup returns the index of the catalogue for a tag, or -1. Only the
// language counts (RFC 4647, 3.4): "de-AT" is "de". An underscore is taken
// for a hyphen, since programs send the locale of their system, "de_AT".
func (p *Pages) lookup(tag string) int {
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	return slices.IndexFunc(p.languages, func(c *catalogue) bool { return strings.EqualFold(c.Lang, tag) })
}

// languageRange takes one element of Accept-Language apart: "de-AT;q=0.7".
// It reports false for a weight that is none.
func languageRange(element string) (tag string, q float64, ok bool) {
	tag, weight, weighted := strings.Cut(element, ";")
	tag = strings.TrimSpace(tag)
	if !weighted {
		return tag, 1, true
	}
	name, value, _ := strings.Cut(strings.TrimSpace(weight), "=")
	if !strings.EqualFold(name, "q") || len(value) > len("0.123") {
		return "", 0, false
	}
	q, err := strconv.ParseFloat(value, 64)
	return tag, q, err == nil && q >= 0 && q <= 1
}
