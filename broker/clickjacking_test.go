package broker_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// A shownPage is one page and the way to it.
type shownPage struct {
	// isolated pages are no part of a sign-in.
	isolated bool
	open     func(*world, *brokertest.Browser) *brokertest.Page
}

// shownPages are the pages of the issuer and of a gate. The changes are
// parameters of the authorization requests on the way.
func shownPages(changes ...string) map[string]shownPage {
	with := func(more ...string) string { return authorizeURL(append(slices.Clone(changes), more...)...) }
	at := func(address string) func(*world, *brokertest.Browser) *brokertest.Page {
		return func(_ *world, b *brokertest.Browser) *brokertest.Page { return b.Get(address) }
	}
	return map[string]shownPage{
		"chooser": {open: at(with())},
		"consent": {open: func(_ *world, b *brokertest.Browser) *brokertest.Page {
			b.Get(with("idp_hint", "auth0"))
			return b.SignIn("ada")
		}},
		"unknown client":       {open: at(with("client_id", "nobody"))},
		"unregistered address": {open: at(with("redirect_uri", "https://evil.example.com/"))},
		"stale callback":       {open: at(issuer + "/oauth2/callback/auth0?code=x&state=x")},
		"stale consent":        {open: at(issuer + "/oauth2/consent?login_id=x")},
		"forged consent":       {open: func(_ *world, b *brokertest.Browser) *brokertest.Page { return b.Post(consentURL, nil) }},
		"stale chooser":        {open: at(issuer + "/oauth2/login?flow=x")},
		"stale return":         {open: at(issuer + "/oauth2/resume?login_id=x&resume=x")},
		"the gate's callback":  {open: at(gatedSite + "/.auth/callback?error=access_denied&state=x")},
		"signed out":           {open: at(gatedSite + "/.auth/logout")},
		"the gate refuses": {open: func(_ *world, b *brokertest.Browser) *brokertest.Page {
			b.Get(gatedSite + "/")
			b.Click("connection-auth0")
			return b.SignIn("denied")
		}},
		"confirming a sign-out": {open: (*world).confirmingSignOut},
		"portal":                {isolated: true, open: signedIn(portalURL)},
		"demo":                  {isolated: true, open: at(demoPage)},
		"withdrawing": {isolated: true, open: func(w *world, b *brokertest.Browser) *brokertest.Page {
			signedIn(portalURL)(w, b)
			b.Get(gatedSite + "/")
			b.Click("connection-auth0")
			b.Click("consent-allow")
			return b.Get(portalURL + "/withdraw?client=" + url.QueryEscape(orders))
		}},
	}
}

// signedIn opens an address and signs in on the way.
func signedIn(address string) func(*world, *brokertest.Browser) *brokertest.Page {
	return func(_ *world, b *brokertest.Browser) *brokertest.Page {
		b.Get(address)
		b.Click("connection-auth0")
		return b.SignIn("ada")
	}
}

// confirmingSignOut comes to the gate's question by a link of another site.
func (w *world) confirmingSignOut(b *brokertest.Browser) *brokertest.Page {
	w.serve("client.example.com", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		_, _ = rw.Write([]byte(`<!doctype html><title>Away</title><a id="away" href="` + gatedSite + `/.auth/logout">Away</a>`))
	}))
	signedIn(gatedSite+"/")(w, b)
	b.Click("consent-allow")
	b.Get(clientSite)
	return b.Click("away")
}

func shownWorld(t *testing.T) *world {
	return newWorld(t, options{config: func(w *world, c *broker.Config) {
		twoConnections(w, c)
		demoOn(w, c)
	}})
}

// A page of the attacker's lays one of ours, made invisible, over something
// that its visitors want to click. So no page of ours can be framed, whatever
// the request says, and markup that got into one would do nothing.
func TestS43_M88_NoPageCanBeFramed(t *testing.T) {
	for name, changes := range map[string][]string{
		"plain":             nil,
		"for a popup":       {"display", "popup"},
		"in German":         {"ui_locales", "de"},
		"with a long story": {"purpose", "; frame-ancestors *; script-src *", "state", "'unsafe-inline'", "login_hint", "frame-ancestors *"},
	} {
		for shown, page := range shownPages(changes...) {
			if name != "plain" && (page.isolated || !slices.Contains([]string{"chooser", "consent", "unknown client"}, shown)) {
				continue // it comes from no authorization request
			}
			t.Run(shown+", "+name, func(t *testing.T) {
				w := shownWorld(t)
				got := page.open(w, w.newBrowser())
				if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") || got.URL.Host == w.tenant.Domain() || page.isolated && got.Has("login-form") {
					t.Fatalf("another page: %s", got)
				}
				wantUnframeable(t, got.Header, page.isolated)
			})
		}
	}
}

// wantUnframeable checks the headers of a page.
func wantUnframeable(t *testing.T, h http.Header, isolated bool) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Security-Policy-Report-Only": "",
		"Access-Control-Allow-Origin": "", "Cross-Origin-Opener-Policy": map[bool]string{true: "same-origin"}[isolated],
	} {
		if got := strings.Join(h.Values(name), ", "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := h.Get("Referrer-Policy"); got != "same-origin" && got != "no-referrer" {
		t.Errorf("Referrer-Policy: %q", got)
	}
	policies := h.Values("Content-Security-Policy")
	if len(policies) != 1 || strings.Contains(policies[0], ",") {
		t.Fatalf("policies %q, want one", policies)
	}
	directives := map[string]string{}
	for part := range strings.SplitSeq(policies[0], ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(part), " ")
		if _, twice := directives[name]; twice {
			t.Errorf("%s stands twice", name)
		}
		directives[name] = sources
	}
	// With no other directive, whatever is not named here is forbidden.
	for name, want := range map[string]string{
		"default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "frame-ancestors": "'none'", "base-uri": "'none'", "object-src": "'none'",
	} {
		if directives[name] != want {
			t.Errorf("%s %s, want %s", name, directives[name], want)
		}
	}
	if form, _ := strings.CutPrefix(directives["form-action"], "'self'"); form != "" && form != " "+clientSite && form != " "+gatedSite {
		t.Errorf("form-action %s", directives["form-action"])
	}
	if len(directives) != 7 {
		t.Errorf("policy %s", policies[0])
	}
}

// A redirect URI stands in the policy of the consent page. It must not write
// there.
func TestS43_RedirectURIsWriteNoPolicy(t *testing.T) {
	for _, uri := range []string{
		clientSite + "/callback;frame-ancestors%20https:", clientSite + "/a,b", clientSite + "/'unsafe-inline'",
		clientSite + "/callback?x=;%20script-src%20https:", clientSite + "/callback?;script-src+'unsafe-inline'",
	} {
		w := newWorld(t, options{client: func(c *oauth.Client) { c.RedirectURIs = []string{uri} }})
		page := w.consentPage(w.newBrowser(), "redirect_uri", uri)
		wantUnframeable(t, page.Header, false)
		if !strings.Contains(page.Header.Get("Content-Security-Policy"), "form-action 'self' "+clientSite+";") {
			t.Errorf("%s: %s", uri, page.Header.Get("Content-Security-Policy"))
		}
	}
}
