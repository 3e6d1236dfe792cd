package oidc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

func TestCompleteReturnsVerifiedIdentity(t *testing.T) {
	s := newSetup(t, func(c *Config) { c.DefaultMaxAge = 365 * 24 * time.Hour })
	s.issuer.claims = func(c object) {
		c["amr"] = []any{"mfa"}
		c["acr"] = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
		c["employee"] = json.Number("9007199254740993") // not exact in a float64
	}
	id := s.mustSignIn(t)
	want := &provider.Identity{
		Issuer: s.issuer.id, Subject: testSubject, SessionID: "sid-1",
		AuthTime: time.Unix(s.clock.now().Unix(), 0),
		AMR:      []string{"mfa"},
		ACR:      "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
	}
	documents := id.Documents
	id.Documents = nil
	if diff := cmp.Diff(want, id); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	if len(documents) != 1 {
		t.Errorf("documents %v, want the ID token's alone", documents)
	}
	doc := documents[claims.IDToken]
	if doc["employee"] != json.Number("9007199254740993") || doc["updated_at"] != "2026-10-31T08:00:00.000Z" {
		t.Errorf("claims are not as they came: %v", doc)
	}
}

// D12, and claims of odd types: Auth0's updated_at is a string where OpenID
// Connect has a number, and others send worse. None of it ends a sign-in.
func TestD12_OddClaimTypesDoNotEndTheSignIn(t *testing.T) {
	cases := []struct {
		name   string
		amr    any
		want   []string
		warned bool
	}{
		{"array", []any{"pwd", "otp"}, []string{"pwd", "otp"}, false},
		{"empty array", []any{}, nil, false},
		{"array with an empty string", []any{"", "pwd"}, []string{"pwd"}, true},
		{"array of foreign elements", []any{true, object{"otp": 1}}, nil, true},
		{"string", "pwd", []string{"pwd"}, false},
		{"mixed", []any{"pwd", 7, nil, []any{"x"}}, []string{"pwd"}, true},
		{"number", 7, nil, true},
		{"object", object{"x": 1}, nil, true},
		{"empty string", "", nil, true},
		{"null", nil, nil, false},
	}
	for _, c := range cases {
		t.Run("amr "+c.name, func(t *testing.T) {
			s := newSetup(t, nil)
			s.issuer.claims = func(set object) {
				set["amr"] = c.amr
				set["email_verified"] = "true"
				set["name"] = object{"nested": []any{nil, 1.5}}
				set["sid"], set["acr"], set["auth_time"] = 5, []any{}, "yesterday"
				set["nickname"] = "a\r\nSet-Cookie: x=\x00,é"
			}
			id := s.mustSignIn(t)
			if diff := cmp.Diff(c.want, id.AMR); diff != "" {
				t.Errorf("amr (-want +got):\n%s", diff)
			}
			if id.SessionID != "" || id.ACR != "" || !id.AuthTime.IsZero() {
				t.Errorf("ill-typed claims were used: %+v", id)
			}
			warnings := s.logs.FilterMessageSnippet("amr").FilterLevelExact(zap.WarnLevel).All()
			if got := len(warnings) == 1; got != c.warned {
				t.Errorf("warned: %v, want %v", got, c.warned)
			}
			for _, w := range warnings {
				if _, ok := w.ContextMap()["dropped"].(int64); !ok || len(w.ContextMap()) != 1 {
					t.Errorf("the warning says %v, want how many were dropped and no more", w.ContextMap())
				}
			}
		})
	}
}

func TestPrivateStateIsSmallAndChecked(t *testing.T) {
	s := newSetup(t, nil)
	request, private := s.begin(t, s.request())
	if len(private) != 32 {
		t.Errorf("private state has %d bytes, want 32", len(private))
	}
	code := s.issuer.code(request)
	for _, bad := range [][]byte{nil, private[:31], append(private[:32:32], 0)} {
		id, err := s.Complete(t.Context(), bad, s.request(), callback("code", code))
		wantReason(t, id, err, provider.ReasonResponseMalformed)
	}
	if n := s.issuer.count(pathToken); n != 0 {
		t.Errorf("the code was posted %d times", n)
	}
}

// The private state of another browser's sign-in yields another verifier
// and nonce: a code injected into this one is worth nothing.
func TestS25_ForeignPrivateStateIsRefused(t *testing.T) {
	s := newSetup(t, nil)
	victim, _ := s.begin(t, s.request())
	_, attacker := s.begin(t, s.request())
	code := s.issuer.code(victim)
	id, err := s.Complete(t.Context(), attacker, s.request(), callback("code", code))
	wantReason(t, id, err, provider.ReasonCodeRejected)
}

// Upstream tokens, the code, the verifier and the client secret reach
// neither the identity, nor an error, nor the log, whatever goes wrong. The
// provider here quotes all it got in every text it may choose.
func TestM12_M33_NoTokenOrSecretLeaves(t *testing.T) {
	quoting := func(status int, body func(form string) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.ParseForm()
			quoted := r.PostForm.Get("code") + " " + r.PostForm.Get("code_verifier") + " " +
				r.PostForm.Get("client_secret") + r.PostForm.Get("client_assertion") + " " + r.Header.Get("Authorization")
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprint(w, body(quoted))
		}
	}
	described := func(q string) string {
		raw, _ := json.Marshal(object{"error": "invalid_grant", "error_description": strings.Repeat("x", 190) + q})
		return string(raw)
	}
	plain := func(q string) string { return q }
	faults := map[string]func(*setup){
		"none":        func(*setup) {},
		"quoting 403": func(s *setup) { s.issuer.replace[pathToken] = quoting(403, described) },
		"quoting 500": func(s *setup) { s.issuer.replace[pathToken] = quoting(500, plain) },
		"quoting 200": func(s *setup) { s.issuer.replace[pathToken] = quoting(200, plain) },
		"error is the code": func(s *setup) {
			s.issuer.replace[pathToken] = quoting(400, func(q string) string { return `{"error":"` + q + `"}` })
		},
		"quoting the credential": func(s *setup) {
			s.issuer.replace[pathToken] = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusUnauthorized)
				fmt.Fprintf(w, `{"error":"invalid_client","error_description":%q}`,
					"refused: "+r.PostForm.Get("client_secret")+r.PostForm.Get("client_assertion"))
			}
		},
		"bad signature":      func(s *setup) { s.issuer.signer = otherRSA().named("rsa-1") },
		"no ID token":        func(s *setup) { s.issuer.answer = func(d object) { delete(d, "id_token") } },
		"wrong nonce":        func(s *setup) { s.issuer.claims = func(c object) { c["nonce"] = "other" } },
		"userinfo fails":     func(s *setup) { s.issuer.replace[pathUserinfo] = quoting(500, plain) },
		"userinfo is HTML":   func(s *setup) { s.issuer.replace[pathUserinfo] = quoting(200, plain) },
		"userinfo of others": func(s *setup) { s.issuer.userinfo["sub"] = "other" },
	}
	for name, fault := range faults {
		for _, variant := range []struct {
			mode   UserinfoMode
			method string
		}{{UserinfoOn, AuthPost}, {UserinfoOptional, AuthPost}, {UserinfoOn, AuthPrivateKeyJWT}} {
			t.Run(name+" userinfo "+string(variant.mode)+" "+variant.method, func(t *testing.T) {
				s := newSetup(t, func(c *Config) {
					c.Userinfo, c.Audience, c.AuthMethod = variant.mode, "https://api.example.com", variant.method
					if c.AuthMethod == AuthPrivateKeyJWT {
						c.ClientSecret, c.SigningKey = "", signingKey(t, ecKey())
					}
				})
				s.issuer.access = "access.not-a.secret"
				fault(s)
				request, private := s.begin(t, s.request())
				code := s.issuer.code(request)
				id, err := s.Complete(t.Context(), private, s.request(), callback("code", code))

				var seen strings.Builder
				fmt.Fprintf(&seen, "%+v %v", id, err)
				if e, ok := errors.AsType[*provider.Error](err); ok {
					fmt.Fprintf(&seen, " %+v %s %s", *e, e.Hint, e.Detail)
				}
				for _, entry := range s.logs.All() {
					fmt.Fprintf(&seen, " %s %+v", entry.Message, entry.ContextMap())
				}
				var key seed
				copy(key[:], private)
				for what, secret := range map[string]string{
					"access token": s.issuer.access, "code": code, "code prefix": "code-not-a",
					"client secret": testSecret, "verifier": key.verifier(), "JWT": "eyJ",
				} {
					if strings.Contains(seen.String(), secret) {
						t.Errorf("the %s is in %s", what, seen.String())
					}
				}
			})
		}
	}
}

// transport is a function as [http.RoundTripper].
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Group 1: a whole callback is bounded, however many slow calls are in it.
func TestCallbackIsBounded(t *testing.T) {
	s := newSetup(t, func(c *Config) { c.Userinfo = UserinfoOn })
	request, private := s.begin(t, s.request())
	client := s.outbound.HTTP()
	next := client.Transport
	start := time.Now()
	calls := 0
	client.Transport = transport(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == pathToken || r.URL.Path == pathUserinfo {
			calls++
			if deadline, ok := r.Context().Deadline(); !ok || deadline.Sub(start) > completeTimeout+time.Second {
				t.Errorf("%s has the deadline %v, want %v after the start", r.URL.Path, deadline.Sub(start), completeTimeout)
			}
		}
		return next.RoundTrip(r)
	})
	if _, err := s.Complete(t.Context(), private, s.request(), callback("code", s.issuer.code(request))); err != nil {
		t.Fatal(err)
	}
	if calls != 2 {
		t.Errorf("%d calls, want 2", calls)
	}
}
