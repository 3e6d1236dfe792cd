package oidc

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

func TestM14_NoUserinfoCallsUnlessAsked(t *testing.T) {
	s := newSetup(t, nil)
	id := s.mustSignIn(t)
	if n := s.issuer.count(pathUserinfo); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
	if _, ok := id.Documents[claims.Userinfo]; ok {
		t.Error("there is a userinfo document")
	}
}

// M13: one call, with the access token; the answer becomes a document
// of its own, beside the ID token and not mixed into it.
func TestM13_UserinfoIsItsOwnDocument(t *testing.T) {
	s := newSetup(t, func(c *Config) { c.Userinfo = UserinfoOn })
	id := s.mustSignIn(t)
	want := map[string]any{"sub": testSubject, "email": "ada@example.com", "plan": "gold"}
	if diff := cmp.Diff(want, id.Documents[claims.Userinfo]); diff != "" {
		t.Errorf("userinfo (-want +got):\n%s", diff)
	}
	if _, ok := id.Documents[claims.IDToken]["plan"]; ok {
		t.Error("a userinfo claim is in the ID token's document")
	}
	if n := s.issuer.count(pathUserinfo); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// S32, D10: an access token of another person, put in by whoever controls
// the answer, would fetch that person's data. "optional" is no excuse.
func TestD10_S32_UserinfoOfAnotherSubject(t *testing.T) {
	for _, mode := range []UserinfoMode{UserinfoOn, UserinfoOptional} {
		for name, sub := range map[string]any{"other": "auth0|other", "missing": nil, "empty": "", "a list": []any{testSubject}} {
			t.Run(name+" "+string(mode), func(t *testing.T) {
				s := newSetup(t, func(c *Config) { c.Userinfo = mode })
				if s.issuer.userinfo["sub"] = sub; sub == nil {
					delete(s.issuer.userinfo, "sub")
				}
				if e := s.refused(t, provider.ReasonUserinfoSubject); e.Code != codeAccessDenied {
					t.Errorf("code %q", e.Code)
				}
			})
		}
	}
}

// D13 and groups 4 and 10: a failure ends the sign-in, or is passed over
// where the connection says so.
func TestD13_UserinfoFailures(t *testing.T) {
	typed := func(mediaType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			fmt.Fprint(w, body)
		}
	}
	status := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "12")
			http.Error(w, "Unauthorized", n)
		}
	}
	good := fmt.Sprintf(`{"sub":%q}`, testSubject)
	cases := []struct {
		name    string
		handler http.HandlerFunc
		want    provider.Reason
	}{
		{"401", status(401), provider.ReasonUserinfo},
		{"403", status(403), provider.ReasonUserinfo},
		{"429", status(429), provider.ReasonRateLimited},
		{"Auth0: 429", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Ratelimit-Reset", strconv.FormatInt(newClock().now().Add(12*time.Second).Unix(), 10))
			http.Error(w, "Unauthorized", http.StatusTooManyRequests)
		}, provider.ReasonRateLimited},
		{"500", status(500), provider.ReasonUserinfo},
		{"204", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }, provider.ReasonUserinfo},
		{"HTML", typed("text/html", "<html>"), provider.ReasonUserinfo},
		{"JSON called HTML", typed("text/html", good), provider.ReasonUserinfo},
		{"HTML called JSON", typed("application/json", "<html>"), provider.ReasonUserinfo},
		{"array", typed("application/json", "["+good+"]"), provider.ReasonUserinfo},
		{"null", typed("application/json", "null"), provider.ReasonUserinfo},
		{"two objects", typed("application/json", good+good), provider.ReasonUserinfo},
		{"5 MB", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 5<<20)) }, provider.ReasonUserinfo},
		{"300 KB", typed("application/json", fmt.Sprintf(`{"sub":%q,"x":"%0300000d"}`, testSubject, 0)), provider.ReasonUserinfo},
		{"300 KB of white space", typed("application/json", good+strings.Repeat(" ", 300<<10)), provider.ReasonUserinfo},
		{"silence", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, provider.ReasonUserinfo},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, provider.ReasonUserinfo},
		{"cut", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, provider.ReasonUserinfo},
		{"unsigned JWT", typed("application/jwt", encode(object{"alg": "none"})+"."+encode(object{"sub": testSubject})+"."), provider.ReasonUserinfo},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newTimedSetup(t, timeout(c.name), func(cfg *Config) { cfg.Userinfo = UserinfoOn })
			s.issuer.serve(pathUserinfo, c.handler)
			e := s.refused(t, c.want)
			if e.Code != codeUnavailable {
				t.Errorf("code %q, want %q", e.Code, codeUnavailable)
			}
			if c.want == provider.ReasonRateLimited && e.RetryAfter != 12*time.Second {
				t.Errorf("retry after %v", e.RetryAfter)
			}

			s = newTimedSetup(t, timeout(c.name), func(cfg *Config) { cfg.Userinfo = UserinfoOptional })
			s.issuer.serve(pathUserinfo, c.handler)
			id := s.mustSignIn(t)
			if _, ok := id.Documents[claims.Userinfo]; ok {
				t.Error("optional: there is a userinfo document")
			}
			if s.logs.FilterMessageSnippet("userinfo failed").Len() != 1 {
				t.Error("optional: the failure is not in the log")
			}
			// A kept connection that dies unanswered is tried anew by
			// net/http: the call may not have arrived.
			if n := s.issuer.count(pathUserinfo); n != 1 && c.name != "cut" {
				t.Errorf("%d calls, want 1", n)
			}
		})
	}
	t.Run("no endpoint, optional", func(t *testing.T) {
		s := newSetup(t, func(cfg *Config) { cfg.Userinfo = UserinfoOptional })
		s.issuer.metadata = func(d object) { delete(d, "userinfo_endpoint") }
		s.mustSignIn(t)
	})
}

// S32: a signed answer is for this client, from this issuer, and of its
// kind; the signature alone is on the ID tokens of all clients.
func TestS32_SignedUserinfo(t *testing.T) {
	now := newClock().now().Unix()
	cases := []struct {
		name   string
		key    testKey
		header object
		edit   object
		want   provider.Reason
	}{
		{"good", rsaKey(), nil, nil, ""},
		{"without typ", rsaKey(), object{"typ": nil}, nil, ""},
		{"aud an array", rsaKey(), nil, object{"aud": []any{"x", testClient}}, ""},
		{"with exp", rsaKey(), nil, object{"exp": now + 60}, ""},
		{"expired", rsaKey(), nil, object{"exp": now - 60}, provider.ReasonUserinfo},
		{"nbf ahead", rsaKey(), nil, object{"nbf": now + 61}, provider.ReasonUserinfo},
		{"aud of another client", rsaKey(), nil, object{"aud": "other"}, provider.ReasonUserinfo},
		{"aud missing", rsaKey(), nil, object{"aud": nil}, provider.ReasonUserinfo},
		{"iss of another", rsaKey(), nil, object{"iss": "https://evil.example/"}, provider.ReasonUserinfo},
		{"iss missing", rsaKey(), nil, object{"iss": nil}, provider.ReasonUserinfo},
		{"a logout token", rsaKey(), object{"typ": "logout+jwt"}, nil, provider.ReasonUserinfo},
		{"of another key", otherRSA(), nil, nil, provider.ReasonUserinfo},
		{"of another subject", rsaKey(), nil, object{"sub": "other"}, provider.ReasonUserinfoSubject},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, func(cfg *Config) { cfg.Userinfo = UserinfoOn })
			set := object{"iss": s.issuer.id, "aud": testClient, "sub": testSubject, "plan": "gold"}
			for name, value := range c.edit {
				if set[name] = value; value == nil {
					delete(set, name)
				}
			}
			s.issuer.serve(pathUserinfo, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/jwt; charset=utf-8")
				fmt.Fprint(w, c.key.jwt(c.header, set))
			})
			if c.want != "" {
				s.refused(t, c.want)
				return
			}
			if id := s.mustSignIn(t); id.Documents[claims.Userinfo]["plan"] != "gold" {
				t.Errorf("documents %v", id.Documents)
			}
		})
	}
}
