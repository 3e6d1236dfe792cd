package store

import (
	"errors"
	"time"
	"unicode/utf8"
)

// Expiry returns when a value that a backend stores at now with the given
// ttl expires: the value is live while the clock is before it. A ttl of 0
// gives the zero time, which means never; a negative one is an error.
func Expiry(now time.Time, ttl time.Duration) (time.Time, error) {
	switch {
	case ttl < 0:
		return time.Time{}, errors.New("negative ttl")
	case ttl == 0:
		return time.Time{}, nil
	}
	return now.Add(ttl), nil
}

// PrefixEnd returns the end of the range of keys that begin with prefix:
// these are the keys k with prefix <= k < end, in byte order. A backend
// lists by this range and not by a pattern, so that "%", "_" and "*" in a
// key are letters like any other. It returns false when the range has no
// end, as that of the empty prefix.
//
// The end of a prefix in UTF-8 is UTF-8 itself, as some databases demand
// of every text.
func PrefixEnd(prefix string) (end string, ok bool) {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case last == utf8.MaxRune:
			continue // nothing sorts after it here: the next rune to the left decides
		case last == surrogateMin-1:
			return prefix + string(rune(surrogateMax+1)), true
		default:
			return prefix + string(last+1), true
		}
	}
	return "", false
}

// The surrogates are no characters and have no form in UTF-8.
const (
	surrogateMin = 0xD800
	surrogateMax = 0xDFFF
)
