package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxHeader bounds the value of one header (S5).
const maxHeader = 8 << 10

// A Header is one request header that the application behind the gate gets.
type Header struct {
	// Name in canonical form.
	Name  string
	text  string
	parts []part
}

// part is literal text, or a placeholder when name is not empty.
type part struct {
	literal string
	name    string // "claim.email", "access_token", ...
}

// DefaultHeaders are sent where the site names none.
func DefaultHeaders() []Header {
	headers := make([]Header, 0, 6)
	for _, h := range [][2]string{
		{"Authorization", "Bearer {access_token}"},
		{"X-Id-Token", "{id_token}"},
		{"Remote-User", "{sub}"},
		{"Remote-Email", "{verified_email}"},
		{"Remote-Name", "{claim.name}"},
		{"Remote-Groups", "{claim.groups}"},
	} {
		// The texts are right; a test says so.
		parsed, _ := ParseHeader(h[0], h[1])
		headers = append(headers, parsed)
	}
	return headers
}

// ParseHeader reads one header line. Syntax:
//
//	value       = *( literal / "{" placeholder "}" )
//	placeholder = "sub" / "sid" / "access_token" / "id_token"
//	            / "verified_email" / "claim." name
//
// A header whose placeholder has no value is not sent at all.
func ParseHeader(name, value string) (Header, error) {
	if !httpguts.ValidHeaderFieldName(name) {
		return Header{}, fmt.Errorf("header %q: not a header name", name)
	}
	h := Header{Name: textproto.CanonicalMIMEHeaderKey(name), text: value}
	switch h.Name {
	case "Host", "Connection", "Cookie", "Content-Length", "Transfer-Encoding", "Trailer", "Te", "Upgrade":
		return Header{}, fmt.Errorf("header %s: belongs to the connection and cannot be set", h.Name)
	}
	rest := value
	for rest != "" {
		literal, after, found := strings.Cut(rest, "{")
		if literal != "" {
			h.parts = append(h.parts, part{literal: literal})
		}
		if !found {
			break
		}
		placeholder, after, found := strings.Cut(after, "}")
		if !found || !validPlaceholder(placeholder) {
			return Header{}, fmt.Errorf("header %s: {%s} is not known; use {claim.NAME}, {sub}, {sid}, {access_token}, {id_token} or {verified_email}", h.Name, placeholder)
		}
		h.parts = append(h.parts, part{name: placeholder})
		rest = after
	}
	if len(h.parts) == 0 || !httpguts.ValidHeaderFieldValue(value) {
		return Header{}, fmt.Errorf("header %s: the value is empty or holds a control character", h.Name)
	}
	return h, nil
}

func validPlaceholder(s string) bool {
	switch s {
	case "sub", "sid", "access_token", "id_token", "verified_email":
		return true
	}
	name, found := strings.CutPrefix(s, "claim.")
	return found && name != "" && !strings.ContainsAny(name, "{}")
}

// Why a header is not sent although the visitor has a value for it.
var (
	errNotPlain = errors.New("the value holds a control character")
	errTooLong  = fmt.Errorf("the value is longer than %d bytes", maxHeader)
)

// render returns the header's value for a visitor: empty if it is not sent
// because there is none, an error if it must not be sent. Values never pass
// through a placeholder expansion of Caddy's: a user may be called
// {env.SECRET}.
func (h *Header) render(v *Visitor) (string, error) {
	var out strings.Builder
	for _, p := range h.parts {
		if p.name == "" {
			out.WriteString(p.literal)
			continue
		}
		claim := v.value(p.name)
		if claim == nil {
			return "", nil
		}
		s, ok := encode(claim)
		switch {
		case !ok:
			return "", errNotPlain
		case s == "":
			return "", nil
		}
		out.WriteString(s)
	}
	if out.Len() > maxHeader {
		return "", errTooLong
	}
	return out.String(), nil
}

// encode writes a claim for a header: lists joined by commas, and as %XX
// everything outside printable ASCII, "%", commas inside list elements, and
// a space at either end of a text. An object, and a list inside a list, is
// the text of its JSON. So it can be undone: split at the commas, then
// decode. A value with a control character is refused whole, since no
// encoding of it is expected by anybody.
func encode(v any) (string, bool) {
	switch v := v.(type) {
	case []any:
		return encodeList(v)
	case []string:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return encodeList(list)
	}
	return encodeScalar(v, false)
}

func encodeList(list []any) (string, bool) {
	elements := make([]string, len(list))
	for i, e := range list {
		var ok bool
		if elements[i], ok = encodeScalar(e, true); e == nil || !ok {
			return "", false
		}
	}
	return strings.Join(elements, ","), true
}

func encodeScalar(v any, inList bool) (string, bool) {
	switch v := v.(type) {
	case string:
		return encodeText(v, inList)
	case bool:
		return fmt.Sprint(v), true
	case json.Number:
		return v.String(), true
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "", false
	}
	return encodeText(string(raw), inList)
}

// encodeText keeps the spaces at both ends, which every reader of a header
// strips, and many a reader of a list: somebody who registers as "admin " at
// the upstream would be "admin" for the application.
func encodeText(s string, inList bool) (string, bool) {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i, c := range []byte(s) {
		switch {
		case c < 0x20 || c == 0x7f:
			return "", false
		case c > 0x7e || c == '%' || inList && c == ',' || c == ' ' && (i == 0 || i == len(s)-1):
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), true
}

// setHeaders writes the prepared values into the request. The slices are
// the request's own: Caddy's request_header replaces text in them in place,
// and what it wrote must not stand in the next request of the session.
func (v *Visitor) setHeaders(h http.Header) {
	values := make([]string, len(v.headers))
	for i, p := range v.headers {
		values[i] = p.value
		h[p.name] = values[i : i+1 : i+1]
	}
}
