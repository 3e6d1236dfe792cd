package op

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// maxAddress is the longest e-mail address there is (RFC 5321, 4.5.3.1).
const maxAddress = 254

// domainOwner returns the connection that people with this e-mail address
// sign in at, nil if there is none for the client. Hidden ones count: an
// address is as good as a hint. Only the domain is looked at, so nobody
// learns whether anybody has that address.
func (s *Server) domainOwner(client *oauth.Client, address string) *Connection {
	domain := domainOf(strings.TrimSpace(address))
	if domain == "" {
		return nil
	}
	i := slices.IndexFunc(s.Connections, func(c Connection) bool {
		return !c.Disabled && client.MayUse(c.ID) && slices.Contains(c.Domains, domain)
	})
	if i < 0 {
		return nil
	}
	return &s.Connections[i]
}

// hasDomains says whether an address could lead anywhere.
func (s *Server) hasDomains(client *oauth.Client) bool {
	return slices.ContainsFunc(s.Connections, func(c Connection) bool {
		return !c.Disabled && client.MayUse(c.ID) && len(c.Domains) > 0
	})
}

// domainOf returns the domain of an e-mail address as configurations write
// it: ASCII letters in lower case, without the dot of the root. It is empty
// for what is no address.
//
// Other letters stay as they are. Unicode has some that fold to ASCII, the
// Kelvin sign to k: two domains would become one.
func domainOf(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || len(address) > maxAddress || !plain(address) {
		return ""
	}
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, strings.TrimSuffix(address[at+1:], "."))
}

func plain(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

// takeAddress answers the form with the same page. It never redirects:
// browsers hold the form to the page's policy along all redirects, and that
// would have to name every provider.
//
// The address waits with the login, for providers that get a login_hint. It
// is in no URL and in no log.
func (s *Server) takeAddress(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client, form url.Values) {
	address := strings.TrimSpace(form.Get("email"))
	if domainOf(address) != "" {
		l.Request.LoginHint = address
		if !s.keepPending(w, r, l) {
			return
		}
	}
	remembering := form.Get("remember") == remember
	owner := s.domainOwner(client, address)
	if owner == nil {
		// One answer for all that leads nowhere: a domain we do not know,
		// one that this client may not use, and no address at all.
		view := s.chooserView(l, client, s.candidates(client), remembering)
		view.Email = s.emailField(l, remembering)
		view.Email.Value, view.Email.Unknown = address, true
		s.Pages.Chooser(w, r, view)
		return
	}
	view := s.chooserView(l, client, []*Connection{owner}, remembering)
	view.RememberURL, view.AllURL = "", s.chooserURL(l, "", switchTo(remembering))
	s.Pages.Chooser(w, r, view)
}

func (s *Server) emailField(l *login, remembering bool) *ui.EmailField {
	field := &ui.EmailField{
		Action: s.path(PathLogin),
		Hidden: map[string]string{"flow": l.ID, "remember": switchTo(remembering)},
	}
	maps.Copy(field.Hidden, s.wayBackFields(l))
	if domainOf(l.Request.LoginHint) != "" {
		field.Value = l.Request.LoginHint
	}
	return field
}
