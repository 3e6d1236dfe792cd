package op

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// leftOut stands for a value that could unlock something.
const leftOut = "[left out]"

// redacted returns a copy of v without what is no information about a person
// but a key to something: tokens that an upstream puts among its claims (those
// of the social network that somebody came from, say), one-time values of the
// protocol, and secrets that a script has copied.
//
// Attacker: whoever sees the operator's screen, or the answer on its way to a
// ticket. Move: reads a token there. Harm: acts as the user elsewhere.
//
// Names are judged by what they contain. So an innocent member, such as
// tokens_used, is lost: it is the cheaper mistake.
func redacted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			if unlocks(name) {
				out[name] = leftOut
				continue
			}
			out[name] = redacted(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = redacted(v[i])
		}
		return out
	case []string:
		out := make([]string, len(v))
		for i := range v {
			out[i] = redactedText(v[i])
		}
		return out
	case string:
		return redactedText(v)
	}
	return v
}

// redactedText returns the text, or leftOut if there is a key in it. JSON is
// judged as what it says, as providers and scripts put documents into strings.
func redactedText(s string) string {
	if v, ok := document(s); ok {
		raw, err := json.Marshal(redacted(v))
		if err != nil {
			return leftOut
		}
		if bytes.Contains(raw, []byte(leftOut)) {
			return string(raw)
		}
		return s
	}
	if holdsKey(s) {
		return leftOut
	}
	return s
}

// document returns what the text says as JSON, if that is an object, an array
// or one more text.
func document(s string) (v any, ok bool) {
	if s = strings.TrimSpace(s); s == "" || !strings.ContainsRune(`{["`, rune(s[0])) || !json.Valid([]byte(s)) {
		return nil, false
	}
	decoder := json.NewDecoder(strings.NewReader(s))
	decoder.UseNumber()
	return v, decoder.Decode(&v) == nil
}

// keyWords are the words that make a member a key to something, wherever in
// its name they stand.
var keyWords = []string{
	"token", "secret", "password", "passwd", "passphrase", "passcode", "credential", "apikey", "appkey", "accesskey", "privatekey",
	"recoverycode", "cookie", "authorization", "bearer", "sessionid", "nonce", "athash", "chash", "shash",
}

// shortKeyWords do so only by themselves: other words contain them.
var shortKeyWords = []string{"otp", "totp", "hotp", "pwd", "pin", "jti", "jwt"}

// unlocks reports whether a member of that name holds a secret, however it is
// spelled: secret_access_key, secretAccessKey, SECRET-ACCESS-KEY.
func unlocks(name string) bool {
	words := wordsOf(name)
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(shortKeyWords, word) }) ||
		containsAny(strings.Join(words, ""), keyWords)
}

// wordsOf are the words of a name, in lower case: parted by what is no letter,
// and where a word begins with a capital, as in refreshToken and OTPCode.
func wordsOf(name string) []string {
	runes := []rune(name)
	var parted strings.Builder
	for i, r := range runes {
		begins := i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if begins || !unicode.IsLetter(r) {
			parted.WriteByte(' ')
		}
		if unicode.IsLetter(r) {
			parted.WriteRune(unicode.ToLower(r))
		}
	}
	return strings.Fields(parted.String())
}

func containsAny(s string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}

var (
	// named finds the names in a text that has something to each, as query
	// strings, headers and pieces of JSON do.
	named = regexp.MustCompile(`([\pL\pN_.-]+)["'\\]*\s*[=:]`)

	// authorizing is what a request is authorized by: RFC 6750, 2.1, RFC
	// 9449, 7.1, and RFC 7617. They are long: there are "basic" plans.
	authorizing = regexp.MustCompile(`(?i)\b(bearer|dpop)\s+[\w.~+/-]{8}|\bbasic\s+[\w+/=-]{16}`)

	// compact is a signed or encrypted token in compact form (RFC 7515, 7516):
	// its header is a JSON object, in base64url.
	compact = regexp.MustCompile(`\beyJ[\w-]*\.[\w-]*\.`)
)

// holdsKey reports whether a token or a named secret stands in the text,
// whatever is around it.
func holdsKey(s string) bool {
	if compact.MatchString(s) || authorizing.MatchString(s) || strings.Contains(s, "PRIVATE KEY-----") {
		return true
	}
	return slices.ContainsFunc(named.FindAllStringSubmatch(s, -1), func(m []string) bool { return unlocks(m[1]) })
}
