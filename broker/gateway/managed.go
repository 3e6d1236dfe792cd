package gateway

import (
	"io"
	"net/http"
	"strings"
)

// managedNames are the header names that only the gate may set, folded.
//
// Many applications cannot tell "Remote-User" from "remote_user" or
// "Remote.User": CGI and its descendants turn all three into REMOTE_USER.
// So names are compared after folding case and the three separators.
type managedNames struct {
	folded map[string]bool
	maxLen int
}

// newManagedNames returns the names of headers together with the defaults:
// an application may go on trusting Remote-User after its operator has
// chosen other headers.
func newManagedNames(headers []Header) managedNames {
	m := managedNames{folded: map[string]bool{}}
	for _, set := range [][]Header{DefaultHeaders(), headers} {
		for _, h := range set {
			m.folded[fold(h.Name)] = true
			m.maxLen = max(m.maxLen, len(h.Name))
		}
	}
	return m
}

// fold returns the form in which header names are compared.
func fold(name string) string {
	return string(appendFold(nil, name))
}

func appendFold(out []byte, name string) []byte {
	for _, c := range []byte(name) {
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c == '_' || c == '.':
			c = '-'
		}
		out = append(out, c)
	}
	return out
}

// has says whether name is managed, in any spelling.
func (m *managedNames) has(name string) bool {
	if len(name) > m.maxLen {
		return false
	}
	var buf [64]byte
	return m.folded[string(appendFold(buf[:0], name))]
}

// strip removes managed names from the request: as headers, as trailers,
// and as connection options. The last because reverse_proxy removes what
// Connection names after we have set our headers: with "Connection:
// Remote-User" a client could delete the identity we vouch for.
func (m *managedNames) strip(r *http.Request) {
	for name := range r.Header {
		if m.has(name) {
			delete(r.Header, name)
		}
	}
	if r.Trailer != nil || r.ContentLength < 0 && r.Body != nil {
		m.stripTrailer(r)
		r.Body = &trailedBody{ReadCloser: r.Body, request: r, managed: m}
	}
	for _, list := range [...]string{"Connection", "Trailer"} {
		if values := r.Header[list]; len(values) > 0 {
			m.stripList(r.Header, list, values)
		}
	}
}

func (m *managedNames) stripTrailer(r *http.Request) {
	for name := range r.Trailer {
		if m.has(name) {
			delete(r.Trailer, name)
		}
	}
}

// A trailedBody removes managed names from the trailers that arrive behind
// the body. Of a chunked request net/http takes all of them, announced or
// not, and reverse_proxy passes them on as soon as the body is at its end;
// an application that does not tell trailers from headers would believe
// them.
type trailedBody struct {
	io.ReadCloser
	request *http.Request
	managed *managedNames
}

// Read implements [io.Reader].
func (b *trailedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.managed.stripTrailer(b.request)
	}
	return n, err
}

func (m *managedNames) stripList(h http.Header, name string, values []string) {
	kept := values[:0]
	for _, value := range values {
		if !m.inList(value) {
			kept = append(kept, value)
			continue
		}
		var options []string
		for option := range strings.SplitSeq(value, ",") {
			if option = strings.TrimSpace(option); option != "" && !m.has(option) {
				options = append(options, option)
			}
		}
		if len(options) > 0 {
			kept = append(kept, strings.Join(options, ", "))
		}
	}
	if len(kept) == 0 {
		delete(h, name)
		return
	}
	h[name] = kept
}

func (m *managedNames) inList(value string) bool {
	for option := range strings.SplitSeq(value, ",") {
		if m.has(strings.TrimSpace(option)) {
			return true
		}
	}
	return false
}
