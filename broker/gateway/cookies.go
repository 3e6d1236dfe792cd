package gateway

import (
	"net/http"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// cookies are the gate's own, as they came with a request.
type cookies struct {
	session, flow string
}

// takeCookie reads the gate's two cookies and removes them from the request:
// the application must not see what it could be tricked into revealing. The
// same goes for those of the broker and of other gates, which come along if
// they are on this host, at whatever port. A name that comes twice yields
// nothing, because one of the two may have been planted.
func takeCookie(r *http.Request, sessionName, flowName string) (c cookies) {
	lines := r.Header["Cookie"]
	if len(lines) == 0 {
		return c
	}
	var sessions, flows int
	kept := lines[:0]
	for _, line := range lines {
		rest, changed := line, false
		var out strings.Builder
		for rest != "" {
			var pair string
			pair, rest, _ = strings.Cut(rest, ";")
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			switch {
			case name == sessionName:
				c.session, changed = value, true
				sessions++
			case name == flowName:
				c.flow, changed = value, true
				flows++
			case session.Reserved(name):
				changed = true
			default:
				if out.Len() > 0 {
					out.WriteString("; ")
				}
				out.WriteString(strings.TrimSpace(pair))
			}
		}
		switch {
		case !changed:
			kept = append(kept, line)
		case out.Len() > 0:
			kept = append(kept, out.String())
		}
	}
	if len(kept) == 0 {
		delete(r.Header, "Cookie")
	} else {
		r.Header["Cookie"] = kept
	}
	if sessions > 1 {
		c.session = ""
	}
	if flows > 1 {
		c.flow = ""
	}
	return c
}
