package oidc

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

func (s *setup) beginFails(t *testing.T, want provider.Reason) *provider.Error {
	t.Helper()
	_, _, err := s.Begin(t.Context(), s.request())
	e := wantReason(t, nil, err, want)
	if e.Code != codeUnavailable {
		t.Errorf("code %q, want %q", e.Code, codeUnavailable)
	}
	return e
}

func TestNothingIsFetchedBeforeUse(t *testing.T) {
	s := newSetup(t, nil)
	if n := s.issuer.count(pathDiscovery); n != 0 {
		t.Errorf("New made %d calls", n)
	}
	s.begin(t, s.request())
	s.begin(t, s.request())
	if n := s.issuer.count(pathDiscovery); n != 1 {
		t.Errorf("two sign-ins made %d calls, want 1", n)
	}
	if n := s.issuer.count(pathKeys); n != 0 {
		t.Errorf("keys were fetched %d times before a token came", n)
	}
}

// Group 3 and S126: a provider that is down when the server starts, then
// comes up. No failure is kept, and none hammers the provider.
func TestDiscoveryHealsAlone(t *testing.T) {
	s := newSetup(t, nil)
	s.issuer.fail(pathDiscovery, 503, "not-a-secret")
	for range 20 {
		e := s.beginFails(t, provider.ReasonUnreachable)
		wantText(t, e.Error(), "discovering "+s.issuer.id, "503 Service Unavailable")
		if strings.Contains(e.Error(), "not-a-secret") {
			t.Errorf("the body is in the error: %v", e)
		}
	}
	if n := s.issuer.count(pathDiscovery); n != 1 {
		t.Errorf("20 sign-ins within the back-off made %d calls, want 1", n)
	}
	s.issuer.heal(pathDiscovery)
	s.pass(minBackoff)
	s.mustSignIn(t)
}

func TestDiscoveryKeepsTheLastGoodDocument(t *testing.T) {
	faults := map[string]func(*issuer){
		"503":               func(i *issuer) { i.fail(pathDiscovery, 503, "") },
		"404":               func(i *issuer) { i.fail(pathDiscovery, 404, "") },
		"HTML":              func(i *issuer) { i.fail(pathDiscovery, 200, "<html>") },
		"another issuer":    func(i *issuer) { i.metadata = func(d object) { d["issuer"] = "https://evil.example/" } },
		"a private address": func(i *issuer) { i.metadata = func(d object) { d["jwks_uri"] = "https://10.0.0.1/keys" } },
		"5 MB": func(i *issuer) {
			i.serve(pathDiscovery, func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 5<<20)) })
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			s := newSetup(t, nil)
			s.mustSignIn(t)
			fault(s.issuer)
			for range 3 {
				s.pass(metadataAge)
				s.mustSignIn(t)
			}
			// The refresh runs behind the sign-in's back.
			for deadline := time.Now().Add(5 * time.Second); s.issuer.count(pathDiscovery) < 2; {
				if time.Now().After(deadline) {
					t.Fatal("no refresh was tried")
				}
				s.begin(t, s.request())
			}
		})
	}
}

// S34: a document that names another issuer is refused; the error names the
// fix, because the slash is the commonest mistake of all.
func TestS34_IssuerMustMatchExactly(t *testing.T) {
	cases := []struct {
		name  string
		named func(id string) any
		text  string
	}{
		{"without the slash", func(id string) any { return strings.TrimSuffix(id, "/") }, "trailing slash differs: write issuer http://"},
		{"another host", func(string) any { return "https://evil.example/" }, `write issuer "https://evil.example/"`},
		{"other case", func(id string) any { return strings.ToUpper(id) }, "is not usable"},
		{"missing", func(string) any { return nil }, "has no issuer"},
		{"empty", func(string) any { return "" }, "has no issuer"},
		{"a list", func(id string) any { return []string{id} }, "not the JSON it should be"},
		{"endless", func(id string) any { return id + strings.Repeat("x", 1000) }, "is not usable"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, nil)
			s.issuer.metadata = func(d object) { d["issuer"] = c.named(s.issuer.id) }
			e := s.beginFails(t, provider.ReasonMisconfigured)
			wantText(t, e.Error(), c.text)
			if len(e.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(e.Error()))
			}
		})
	}
}

// Group 22: endpoints that a hostile or broken document names.
func TestDiscoveredEndpoints(t *testing.T) {
	names := []string{"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"}
	bad := map[string]any{
		"http": "http://idp.example/x", "private": "https://192.168.0.1/x", "metadata service": "https://169.254.169.254/x",
		"mapped": "https://[::ffff:10.0.0.1]/x", "no URL": "::", "relative": "/x", "script": "javascript:alert(1)",
		"fragment": "https://idp.example/x#y", "user": "https://u:p@idp.example/x", "a number": 5,
	}
	for _, name := range names {
		for what, value := range bad {
			t.Run(name+" "+what, func(t *testing.T) {
				s := newSetup(t, nil)
				s.issuer.metadata = func(d object) { d[name] = value }
				s.beginFails(t, provider.ReasonMisconfigured)
			})
		}
		t.Run(name+" missing", func(t *testing.T) {
			for _, mode := range []UserinfoMode{UserinfoOff, UserinfoOn} {
				s := newSetup(t, func(c *Config) { c.Userinfo = mode })
				s.issuer.metadata = func(d object) { delete(d, name) }
				if name == "userinfo_endpoint" && mode == UserinfoOff {
					s.mustSignIn(t)
				} else {
					wantText(t, s.beginFails(t, provider.ReasonMisconfigured).Error(), name+": missing")
				}
			}
		})
	}
	t.Run("another public host", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.metadata = func(d object) { d["token_endpoint"] = "https://mtls.idp.example/token" }
		s.begin(t, s.request())
	})
	t.Run("only alg none", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.metadata = func(d object) { d["id_token_signing_alg_values_supported"] = []string{"none"} }
		s.issuer.idToken = func(c object) string { return encode(object{"alg": "none"}) + "." + encode(c) + "." }
		s.refused(t, provider.ReasonIDTokenInvalid)
	})
}

// Group 26: what the network does. Each error names the host and heals
// without a restart.
func TestNetworkFailures(t *testing.T) {
	build := func(t *testing.T, issuer string, cfg outbound.Config) *Provider {
		cfg.Timeout = timeout(t.Name())
		p, err := New(Config{Issuer: issuer, ClientID: testClient, ClientSecret: testSecret},
			Deps{Outbound: outbound.New(cfg)})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	req := provider.Request{RedirectURI: testRedirect, State: "s"}

	t.Run("connection refused", func(t *testing.T) {
		i := newIssuer(t)
		i.Close()
		_, _, err := build(t, i.id, outbound.Config{AllowHTTP: true}).Begin(t.Context(), req)
		wantText(t, wantReason(t, nil, err, provider.ReasonUnreachable).Error(), i.id, "refused")
	})
	t.Run("silence", func(t *testing.T) {
		i := newIssuer(t)
		i.serve(pathDiscovery, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		_, _, err := build(t, i.id, outbound.Config{AllowHTTP: true}).Begin(t.Context(), req)
		wantReason(t, nil, err, provider.ReasonUnreachable)
	})
	t.Run("redirect", func(t *testing.T) {
		i := newIssuer(t)
		i.serve(pathDiscovery, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusFound)
		})
		_, _, err := build(t, i.id, outbound.Config{AllowHTTP: true}).Begin(t.Context(), req)
		wantText(t, wantReason(t, nil, err, provider.ReasonMisconfigured).Error(), "redirects are not followed")
		if i.count(pathDiscovery) != 1 {
			t.Error("the redirect was followed")
		}
	})
	t.Run("rate limit", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.serve(pathDiscovery, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-RateLimit-Reset", fmt.Sprint(s.clock.now().Add(90*time.Second).Unix()))
			w.WriteHeader(http.StatusTooManyRequests)
		})
		if e := s.beginFails(t, provider.ReasonRateLimited); e.RetryAfter != 90*time.Second {
			t.Errorf("retry after %v, want 90 s", e.RetryAfter)
		}
		s.issuer.heal(pathDiscovery)
		s.pass(89 * time.Second)
		s.beginFails(t, provider.ReasonRateLimited)
		if n := s.issuer.count(pathDiscovery); n != 1 {
			t.Errorf("%d calls before the time asked for", n)
		}
		s.pass(time.Second)
		s.begin(t, s.request())
	})
	t.Run("TLS", func(t *testing.T) {
		allow := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		var server *httptest.Server
		server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reply(w, object{
				"issuer": server.URL, "authorization_endpoint": server.URL + "/authorize",
				"token_endpoint": server.URL + "/token", "jwks_uri": server.URL + "/keys",
			})
		}))
		server.Config.ErrorLog = discardLog
		server.StartTLS()
		defer server.Close()

		_, _, err := build(t, server.URL, outbound.Config{Allow: allow}).Begin(t.Context(), req)
		wantText(t, wantReason(t, nil, err, provider.ReasonUnreachable).Hint, "trusted_roots")

		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		if _, _, err := build(t, server.URL, outbound.Config{Allow: allow, TrustedRoots: roots}).Begin(t.Context(), req); err != nil {
			t.Errorf("with the root trusted: %v", err)
		}
	})
	t.Run("a name that resolves to a private address", func(t *testing.T) {
		p := build(t, "https://localhost:1", outbound.Config{})
		_, _, err := p.Begin(t.Context(), req)
		wantText(t, wantReason(t, nil, err, provider.ReasonMisconfigured).Error(), "localhost", "loopback", "outbound { allow ")
	})
}

func TestRetryAfterHeader(t *testing.T) {
	now := newClock().now()
	cases := []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "120", 2 * time.Minute},
		{"Retry-After", now.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		{"Retry-After", "-5", 0},
		{"Retry-After", "99999999999", 0}, // beyond int on 32 bits, or an hour
		{"Retry-After", "soon", 0},
		{"X-RateLimit-Reset", fmt.Sprint(now.Add(30 * time.Second).Unix()), 30 * time.Second},
		{"X-RateLimit-Reset", fmt.Sprint(now.Add(-time.Hour).Unix()), 0},
		{"X-RateLimit-Reset", "9999999999999", time.Hour},
		{"X-Other", "120", 0},
	}
	for _, c := range cases {
		got := retryAfterHeader(http.Header{http.CanonicalHeaderKey(c.name): {c.value}}, now)
		if c.value == "99999999999" && got == time.Hour {
			continue
		}
		if got != c.want {
			t.Errorf("%s: %s: got %v, want %v", c.name, c.value, got, c.want)
		}
	}
	// A provider whose clock is four minutes behind ours means its own.
	theirs := now.Add(-4 * time.Minute)
	h := http.Header{
		"Date":              {theirs.Format(http.TimeFormat)},
		"X-Ratelimit-Reset": {fmt.Sprint(theirs.Add(30 * time.Second).Unix())},
	}
	if got := retryAfterHeader(h, now); got != 30*time.Second {
		t.Errorf("by the provider's clock: got %v, want 30s", got)
	}
}
