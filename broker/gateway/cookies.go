package gateway

import (
	"net/http"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

const (
	// sessionCookie holds the handle of the gate session.
	sessionCookie = "auth_gate"
	// bindingCookie ties sign-ins of the gate to the browser: one random
	// value for any number of tabs.
	bindingCookie = "auth_gate_flow"
)

// cookies are the gate's own, as they came with a request.
type cookies struct {
	session, binding string
}

// takeCookie reads the gate's two cookies and removes them from the request:
// the application must not see what it could be tricked into revealing. The
// same goes for those of the broker and of other gates, which come along if
// they are on this host, at whatever port. A name that comes twice yields
// nothing, because one of the two may have been planted.
func takeCookie(r *http.Request, sessionName, bindingName string) (c cookies) {
	lines := r.Header["Cookie"]
	if len(lines) == 0 {
		return c
	}
	var sessions, bindings int
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
			case name == bindingName:
				c.binding, changed = value, true
				bindings++
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
	if bindings > 1 {
		c.binding = ""
	}
	return c
}
