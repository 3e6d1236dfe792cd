package broker_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// Whoever is turned away must not get in by trying again: what an earlier
// sign-in brought is over as soon as the upstream has answered anew.
func TestR36_DenialEndsTheCachedContext(t *testing.T) {
	t.Run("by the application", func(t *testing.T) {
		w := newWorld(t, options{client: trusted, config: application(func(c *broker.Config) {
			c.Connections[0].ContextCache = time.Hour
		})})
		b := w.newBrowser()
		v := w.visitApp(b)
		if got := w.answer(b.Get(v.back(v.complete(`{}`)))); got.Get("code") == "" {
			t.Fatalf("the client gets %v", got)
		}
		v = w.visitApp(b, "prompt", "login")
		if got := w.answer(b.Get(v.back(v.abort("")))); got.Get("error") != "access_denied" {
			t.Fatalf("the client gets %v", got)
		}
		w.visitApp(b) // is not answered from the cache
	})
	t.Run("by the script, of another user", func(t *testing.T) {
		o := scripted(`module.exports = async (c) => { if (c.idp_sub !== "auth0|ada") throw new Error("no"); }`,
			func(c *broker.Config) { c.Connections[0].ContextCache = time.Hour })
		o.client = trusted
		w := newWorld(t, o)
		b := w.newBrowser()
		if got := w.authorize(b, "ada"); got.Get("code") == "" {
			t.Fatalf("the client gets %v", got)
		}
		for _, change := range [][]string{{"prompt", "login"}, nil} {
			if got := w.authorize(b, "grace", change...); got.Get("error") != "server_error" {
				t.Errorf("%v: the client gets %v", change, got)
			}
		}
	})
}

// The attacker at another's browser knows the password and strikes
// acr_values from the address. The acr of the owner's earlier sign-in must
// not pass for the one that is demanded now.
func TestACR_InheritedIsNoStepUp(t *testing.T) {
	const multiFactor = brokertest.MultiFactor
	demand := `{"id_token":{"acr":{"essential":true,"value":"` + multiFactor + `"}}}`
	w := newWorld(t, options{client: trusted})
	b := w.newBrowser()
	w.authorize(b, "mfa", "acr_values", multiFactor)
	w.clock.Advance(50 * time.Minute)
	w.tenant.SetFaults(brokertest.Faults{EditIDToken: func(c map[string]any) {
		delete(c, "amr")
		delete(c, "acr")
	}})
	stripped := func(changes ...string) url.Values {
		b.StopBefore = w.tenant.Issuer()
		to := b.Get(authorizeURL(append(changes, "claims", demand)...)).Location
		query := to.Query()
		query.Del("acr_values")
		to.RawQuery = query.Encode()
		b.StopBefore = clientSite
		page := b.Get(to.String())
		if page.Has("tenant-login-form") {
			page = b.SignIn("mfa")
		}
		return w.answer(page)
	}
	for _, change := range [][]string{{"max_age", "0"}, {"max_age", "300"}, {"prompt", "login"}} {
		if got := stripped(change...); got.Get("error") != oauth.UnmetAuthenticationRequirements {
			t.Errorf("%v: the client gets %v", change, got)
		}
	}
	// Where the client takes an older sign-in, it takes its acr as well.
	for _, change := range [][]string{{"max_age", "3600"}, nil} {
		if got := stripped(change...); got.Get("code") == "" {
			t.Errorf("%v: the client gets %v", change, got)
		}
	}
}

// The same from the context cache, whose auth_time is newer than its acr.
func TestACR_CachedWithANewerAuthTime(t *testing.T) {
	w := newWorld(t, options{client: trusted, config: cached(time.Hour)})
	b := w.newBrowser()
	w.authorize(b, "mfa", "acr_values", brokertest.MultiFactor)
	w.clock.Advance(20 * time.Minute)
	w.tenant.SetFaults(brokertest.Faults{EditIDToken: func(c map[string]any) {
		delete(c, "amr")
		delete(c, "acr")
	}})
	w.authorize(b, "mfa", "prompt", "login")
	w.clock.Advance(time.Minute)
	asked := w.authorizations()
	w.authorize(b, "mfa", "max_age", "600")
	if w.authorizations() != asked {
		t.Fatal("the cache does not answer at all")
	}
	b.StopBefore = w.tenant.Issuer()
	page := b.Get(authorizeURL("max_age", "600", "acr_values", brokertest.MultiFactor))
	if page.Location == nil || page.Location.Host != w.tenant.Domain() {
		t.Error("a second factor of 21 minutes ago counts as one of 10")
	}
}

// max_age=0 is prompt=login by another name. With the upstream's clock ahead
// its auth_time is younger than nothing.
func TestMaxAgeZeroIsNeverAnsweredFromTheCache(t *testing.T) {
	w := newWorld(t, options{client: trusted, config: cached(time.Hour)})
	b := w.newBrowser()
	w.tenant.SetFaults(brokertest.Faults{EditIDToken: func(c map[string]any) {
		c["auth_time"] = w.clock.Now().Add(4 * time.Minute).Unix()
	}})
	w.authorize(b, "ada")
	asked := w.authorizations()
	w.authorize(b, "ada", "max_age", "0")
	if w.authorizations() == asked {
		t.Error("answered from the cache")
	}
}

// Another subject_format makes another person of everybody, also of those
// whose context is kept.
func TestD1_SubjectFormatEndsCachedContexts(t *testing.T) {
	o := options{client: trusted, config: cached(time.Hour)}
	w := newWorld(t, o)
	b := w.newBrowser()
	w.authorize(b, "ada")
	o.config = func(w *world, c *broker.Config) {
		cached(time.Hour)(w, c)
		c.SubjectFormat = broker.SubjectLegacy
	}
	w.newBroker(o)
	_, tokens := w.exchange(w.authorize(b, "ada").Get("code"))
	if got := payload(t, tokens["id_token"])["sub"]; got != "auth0|ada" {
		t.Errorf("sub %v", got)
	}
}

// Settings that change while the user is at the application must not find
// what was made under the old ones kept as their own.
func TestD1_SettingsChangeDuringTheVisit(t *testing.T) {
	settings := func(text string) options {
		return options{client: trusted, config: application(func(c *broker.Config) {
			c.Connections[0].ContextCache, c.Connections[0].Settings = time.Hour, text
		})}
	}
	w := newWorld(t, settings("old"))
	b := w.newBrowser()
	v := w.visitApp(b)
	back := v.back(v.complete(`{}`))
	w.newBroker(settings("new"))
	if got := w.answer(b.Get(back)); got.Get("code") == "" {
		t.Fatalf("the client gets %v", got)
	}
	w.visitApp(b) // is not answered from the cache
}

// A transient scope is asked for every time. Asking for its claims by the
// claims parameter instead must be no way around that.
func TestX18_ClaimsOfATransientScopeAreAskedEveryTime(t *testing.T) {
	w := newWorld(t, options{
		client: func(c *oauth.Client) { c.Scopes = []string{"openid", "salary"} },
		config: func(_ *world, c *broker.Config) {
			c.Scopes = []claims.Scope{{Name: "salary", Transient: true}}
			c.Claims = []claims.Claim{{Name: "nickname", Types: []claims.TokenType{claims.Userinfo}, Scopes: []string{"salary"}}}
		},
	})
	b := w.newBrowser()
	request := []string{"scope", "openid", "claims", `{"userinfo":{"nickname":null}}`}
	_, tokens := w.exchange(w.authorize(b, "ada", request...).Get("code"))
	if _, info := w.userinfo(tokens["access_token"].(string)); info["nickname"] != "ada" {
		t.Errorf("userinfo %v", info)
	}
	if page := b.Get(authorizeURL(request...)); !page.Has("consent-form") {
		t.Error("the second request is not asked for")
	}
}

// A resource server that goes by sub alone must not meet a client under a
// person's name (RFC 9068, 5).
func TestR33_NoPersonIsCalledLikeAClient(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) {
		c.SubjectFormat = broker.SubjectLegacy
		c.Clients = append(c.Clients, oauth.Client{
			ID: "auth0|ada", Secrets: [][32]byte{oauth.HashSecret(appSecret)},
			Grants: []string{oauth.GrantClientCredentials}, Scopes: []string{"orders:read"},
		})
	}})
	w.clientToken("auth0|ada", "orders:read")
	if got := w.authorize(w.newBrowser(), "ada"); got.Get("error") != "server_error" {
		t.Errorf("the client gets %v", got)
	}
	if status, tokens := w.exchange(w.authorize(w.newBrowser(), "grace").Get("code")); status != http.StatusOK {
		t.Errorf("anybody else: %d %v", status, tokens)
	}
}

// Who comes after the owner has signed out must not learn from the page whose
// browser it was, nor consent in the owner's name.
func TestR46_ConsentPageEndsWithTheSession(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	b.StopBefore = clientSite
	if page := b.Get(authorizeURL()); !page.Has("consent-form") {
		t.Fatalf("%d at %s", page.Status, page.URL)
	}
	address := b.Page().URL.String()
	if page := b.NewTab().Get(gatedSite + "/.auth/logout"); !page.Has("logout-done") {
		t.Fatalf("no logout: %d at %s", page.Status, page.URL)
	}
	if page := b.NewTab().Get(address); page.Has("consent-form") || page.Status != http.StatusBadRequest {
		t.Errorf("the page: %d at %s", page.Status, page.URL)
	}
	if page := b.Click("consent-allow"); page.Location != nil || page.Status != http.StatusBadRequest {
		t.Errorf("the form: %d at %s, to %v", page.Status, page.URL, page.Location)
	}
	b = w.newBrowser()
	b.StopBefore = clientSite
	b.Get(authorizeURL())
	if page := b.SignIn("ada"); !page.Has("consent-form") {
		t.Error("the consent was recorded")
	}
}
